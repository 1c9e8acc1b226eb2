// Records a clip with the webcam, in the page: MediaRecorder's WebM, as a file to upload.

import { h } from "../core/dom.js";
import { cameraProblem, openCamera } from "../core/webcam.js";
import { clock } from "./frames.js";

const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const BITS_PER_SECOND = 6e6; // MediaRecorder's own choice is too low for limbs that move fast

/**
 * A name for a recording: webcam-20261129-021500.webm
 * @param {Date} date
 * @param {string} type MIME type
 */
export function recordingName(date, type) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  const time = `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
  return `webcam-${day}-${time}.${type.includes("mp4") ? "mp4" : "webm"}`;
}

/**
 * @param {AbortSignal} signal
 * @param {(file: File) => void} recorded
 * @param {(text: string) => void} failed
 */
export function buildCamera(signal, recorded, failed) {
  const video = h("video", { class: "dkd-camera-video", "aria-label": "Picture of the webcam", playsinline: true });
  video.muted = true;
  const time = h("span", { class: "dkd-camera-time", role: "timer" }, clock(0));
  const record = h("button", { class: "dkd-button dkd-primary", onclick: () => toggle() }, "Record");
  const leave = h("button", { class: "dkd-button", onclick: () => close() }, "Cancel");
  const element = h(
    "div",
    { class: "dkd-camera", hidden: true },
    video,
    h("div", { class: "dkd-row" }, record, leave, time),
  );
  /** @type {MediaStream | null} */
  let stream = null;
  /** @type {MediaRecorder | null} */
  let recorder = null;
  let begun = 0;
  let timer = 0;

  const close = () => {
    clearInterval(timer);
    const old = recorder;
    recorder = null;
    if (old && old.state !== "inactive") old.stop();
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    element.hidden = true;
  };
  signal.addEventListener("abort", close);

  const toggle = () => {
    if (recorder) return recorder.stop();
    if (!stream) return;
    const type = TYPES.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
    /** @type {Blob[]} */
    const parts = [];
    const made = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: BITS_PER_SECOND });
    made.addEventListener("dataavailable", (event) => parts.push(event.data));
    made.addEventListener("stop", () => {
      const isWanted = recorder === made;
      close();
      const name = recordingName(new Date(), type);
      if (isWanted) recorded(new File(parts, name, { type, lastModified: Date.now() }));
    });
    made.start(1000);
    recorder = made;
    record.textContent = "Stop and use it";
    begun = performance.now();
    timer = setInterval(() => {
      time.textContent = clock((performance.now() - begun) / 1000);
    }, 100);
  };

  return {
    element,
    async open() {
      try {
        stream = await openCamera({ width: { ideal: 1280 } });
      } catch (error) {
        return failed(cameraProblem(error));
      }
      record.textContent = "Record";
      time.textContent = clock(0);
      video.srcObject = stream;
      element.hidden = false;
      await video.play().catch(() => {});
      record.focus();
    },
  };
}
