// Frames of the browser's webcam, sent to Python: only the latest one, and a new one when there is room for it.

import { context2d, h } from "../core/dom.js";
import { openCamera } from "../core/webcam.js";

/** @typedef {{ number: number, taken: number, sent: number, picture: ImageBitmap }} Sent a frame on its way */

const IN_FLIGHT = 2; // frames on their way at a time: one is on the road while the network works on the other
const QUALITY = 0.85;
const WANTED = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

/**
 * The picture as JPEG, at once: `toBlob` waits until the page is idle, which a busy page seldom is.
 * @param {HTMLCanvasElement} canvas
 */
function encode(canvas) {
  const text = atob(canvas.toDataURL("image/jpeg", QUALITY).split(",")[1]);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

export class Camera {
  video = h("video", { playsinline: true });
  canvas = h("canvas");
  /** @type {MediaStream | null} */
  stream = null;
  /** @type {Sent[]} */
  flying = [];
  encoding = 0;
  number = -1; // of the last frame that the camera has shown
  first = -1; // what the browser calls frame 0
  round = 0; // counts openings, so that what was begun before is dropped

  /**
   * @param {(about: { number: number, taken_ms: number }, jpeg: ArrayBuffer) => void} send
   * @param {() => void} ended the camera was unplugged, or taken away
   */
  constructor(send, ended) {
    this.send = send;
    this.ended = ended;
    this.video.muted = true;
  }

  /** @returns {Promise<[number, number]>} the size of its frames */
  async open() {
    this.close();
    const stream = await openCamera(WANTED);
    this.stream = stream;
    this.video.srcObject = stream;
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.ended());
    await this.video.play();
    return [this.video.videoWidth, this.video.videoHeight];
  }

  /** Begin to send frames. */
  start() {
    const { round } = this;
    this.first = -1;
    const next = (/** @type {number} */ now, /** @type {VideoFrameCallbackMetadata} */ about) => {
      if (round !== this.round || !this.stream) return;
      this.video.requestVideoFrameCallback(next);
      if (this.first < 0) this.first = about.presentedFrames;
      this.number = about.presentedFrames - this.first;
      // captureTime is when the camera saw it; where a browser does not say, it is when the page got it.
      if (this.flying.length + this.encoding < IN_FLIGHT) this.take(this.number, about.captureTime ?? now, round);
    };
    this.video.requestVideoFrameCallback(next);
  }

  /**
   * @param {number} number
   * @param {number} taken
   * @param {number} round
   */
  async take(number, taken, round) {
    this.encoding++;
    const { video, canvas } = this;
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    context2d(canvas).drawImage(video, 0, 0);
    const jpeg = encode(canvas);
    const picture = await createImageBitmap(canvas);
    if (round === this.round) this.encoding--;
    if (round !== this.round) return picture.close();
    this.flying.push({ number, taken, sent: performance.now(), picture });
    this.send({ number, taken_ms: taken }, jpeg);
  }

  /**
   * Take the frame that was answered off the list, with those before it, which were dropped.
   * @param {number} number
   * @returns {Sent | undefined} the caller closes its picture
   */
  answered(number) {
    const found = this.flying.find((one) => one.number === number);
    for (const one of this.flying) if (one.number < number) one.picture.close();
    this.flying = this.flying.filter((one) => one.number > number);
    return found;
  }

  close() {
    this.round++;
    this.encoding = 0;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    for (const { picture } of this.flying) picture.close();
    this.flying = [];
    this.stream = null;
    this.video.srcObject = null;
  }
}
