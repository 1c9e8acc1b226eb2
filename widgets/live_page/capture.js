// Frames out of a video file or a webcam, in order. The browser shows a video's frames one after the other and says the
// time of each; where it has left one out, as on a busy machine, that part is played again at half the speed.

import { h } from "../core/dom.js";

/**
 * @typedef {object} Reading
 * @property {(bitmap: ImageBitmap, time: number) => void} take called with each frame, and its time in seconds
 * @property {() => number} backlog frames that were taken and are not kept yet
 * @property {number} limit of frames
 */

const MAX_HEIGHT = 720; // larger frames are scaled down
const SLOWEST = 1 / 16;
const LATE = 1.5; // a frame that comes so many frame lengths after the last one may have one before it
const WAITING = 6; // frames: with more under way, the video waits
const EPSILON_S = 1e-4;
const FIRST_MS = 2000; // so long the video waits for its first frame
const SLOW_START = 6; // frames
const STUCK_MS = 1500;
const [LAST_MS, PAUSE_MS] = [3000, 100]; // and so long its end for the last one, looked for now and then

/** The size of the frames that are kept. @param {number} width @param {number} height @returns {[number, number]} */
export function keptSize(width, height) {
  const scale = Math.min(1, MAX_HEIGHT / height);
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** Which frames of a video are new, and whether one was left out between two of them. */
export class Order {
  last = -1; // time of the last frame that was taken
  shortest = Number.POSITIVE_INFINITY; // between two frames
  /** @type {number | null} */
  doubtful = null; // the frame after a gap that is looked at again

  /**
   * @param {number} time of a frame that is shown
   * @returns {"old" | "gap" | "next"}
   */
  judge(time) {
    if (this.last >= 0 && time <= this.last + EPSILON_S) return "old";
    const gap = time - this.last;
    const isLate = this.last >= 0 && gap > LATE * this.shortest;
    if (isLate && (this.doubtful === null || time < this.doubtful - EPSILON_S)) {
      this.doubtful = time;
      return "gap";
    }
    // Also a gap that is the same when it is played slower: then it is the video's own.
    if (this.last >= 0) this.shortest = Math.min(this.shortest, gap);
    this.doubtful = null;
    this.last = time;
    return "next";
  }
}

/**
 * @param {Blob | MediaStream} source
 * @returns {Promise<HTMLVideoElement>} with its first frame
 */
export async function openVideo(source) {
  const video = h("video", { playsinline: true, preload: "auto", class: "dkd-live-page-video", "aria-hidden": "true" });
  video.muted = true;
  const ready = new Promise((resolve, reject) => {
    video.addEventListener("loadeddata", resolve, { once: true });
    video.addEventListener("error", () => reject(new Error("this browser cannot play it")), { once: true });
  });
  if (source instanceof MediaStream) video.srcObject = source;
  else video.src = URL.createObjectURL(source);
  await ready;
  if (!video.videoWidth) throw new Error("it has no pictures");
  return video;
}

/**
 * Take the frames of a video from its beginning, until its end, the limit or the signal.
 * @param {HTMLVideoElement} video
 * @param {Reading} reading
 * @param {AbortSignal} signal
 * @returns {Promise<"end" | "limit" | "stopped">}
 */
export function readVideo(video, { take, backlog, limit }, signal) {
  const order = new Order();
  let count = 0;
  return new Promise((resolve) => {
    const end = (/** @type {"end" | "limit" | "stopped"} */ why) => {
      video.pause();
      clearInterval(timer);
      resolve(why);
    };
    const next = (/** @type {number} */ _now, /** @type {VideoFrameCallbackMetadata} */ { mediaTime }) => {
      if (signal.aborted) return;
      video.requestVideoFrameCallback(next);
      const found = video.seeking && count ? "old" : order.judge(mediaTime);
      if (found === "gap") {
        video.pause(); // it goes on once it is there
        video.playbackRate = Math.max(SLOWEST, video.playbackRate / 2);
        video.currentTime = Math.max(0, order.last);
      }
      if (found !== "next") return;
      count += 1;
      if (count === SLOW_START) video.playbackRate = 1;
      createImageBitmap(video).then((bitmap) => take(bitmap, mediaTime));
      if (count >= limit) end("limit");
      else if (backlog() > WAITING) video.pause();
    };
    const begun = performance.now();
    let moved = begun; // when the video last was not on its way to another place
    const goOn = () => {
      if (!video.seeking) moved = performance.now();
      else if (performance.now() - moved > STUCK_MS) {
        moved = performance.now();
        video.load(); // Chromium does not always arrive there: begin again, frames that are here are passed over
        return;
      }
      if (!count && performance.now() - begun < FIRST_MS) return; // the first frame is shown while the video stands
      const isFree = backlog() <= WAITING / 2 && count < limit && !signal.aborted;
      if (isFree && video.paused && !video.seeking && !video.ended) video.play().catch(() => {}); // paused meanwhile
    };
    const timer = setInterval(goOn, 20);
    // The last frame may be shown after the end was told.
    const onEnd = (/** @type {number} */ waited) => {
      if (!video.ended) return; // a part of it is looked at again
      const isLast = order.doubtful === null && order.last + LATE * order.shortest >= video.duration;
      if (isLast || waited >= LAST_MS) end("end");
      else setTimeout(() => onEnd(waited + PAUSE_MS), PAUSE_MS);
    };
    video.addEventListener("ended", () => onEnd(0), { signal });
    signal.addEventListener("abort", () => end("stopped"));
    video.requestVideoFrameCallback(next);
    video.defaultPlaybackRate = video.playbackRate = SLOWEST * 4; // until the time between two frames is known
    video.currentTime = 0;
  });
}

/**
 * Take frames of a webcam, the newest whenever there is room for one.
 * @param {HTMLVideoElement} video
 * @param {Reading} reading
 * @param {AbortSignal} signal
 */
export function readCamera(video, { take, backlog, limit }, signal) {
  let count = 0;
  return new Promise((resolve) => {
    const next = (/** @type {number} */ now) => {
      if (signal.aborted) return;
      if (count >= limit) return resolve("limit");
      video.requestVideoFrameCallback(next);
      if (backlog() > 1) return;
      count += 1;
      createImageBitmap(video).then((bitmap) => take(bitmap, now / 1000));
    };
    signal.addEventListener("abort", () => resolve("stopped"));
    video.requestVideoFrameCallback(next);
    void video.play();
  });
}
