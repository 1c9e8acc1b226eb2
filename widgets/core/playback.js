// Playing: which frame is due, by the clip's own times, so that a variable frame rate plays right.

/** @import { CursorState } from "./cursor.js" */

/**
 * What playing needs to know of a trace.
 * @typedef {object} Clock
 * @property {ArrayLike<number>} times of all frames, in seconds
 * @property {(frame: number) => boolean} ready whether a frame can be painted
 * @property {() => void} paint
 */

const SLACK_S = 0.004; // a frame is due so much early: the beat of screen and clip would make the pace uneven
const LONGEST_S = 0.25; // between two animation frames; after a longer pause of the page playing goes on from there
const AT_END_S = 0.3; // the last frame of a repeated range stays so long

/**
 * The last frame that is due at a time, from `frame` on.
 * @param {ArrayLike<number>} times
 * @param {number} frame
 * @param {number} last
 * @param {number} seconds
 */
export function frameDue(times, frame, last, seconds) {
  let due = frame;
  while (due < last && times[due + 1] <= seconds + SLACK_S) due += 1;
  return due;
}

export class Playback {
  /** @param {CursorState} cursor */
  constructor(cursor) {
    this.cursor = cursor;
    this.raf = 0;
    this.clipTime = 0; // seconds
    /** @type {number | null} */
    this.wallTime = null; // of the last animation frame, in ms
  }

  /** @param {number} frame */
  restart(frame) {
    this.clipTime = this.cursor.clock?.times[frame] ?? 0;
    this.wallTime = null;
  }

  start() {
    this.restart(this.cursor.get("frame"));
    this.stop();
    this.raf = requestAnimationFrame((now) => this.tick(now));
  }

  stop() {
    cancelAnimationFrame(this.raf);
  }

  // Where the next frame is not ready to be painted the clock waits for it. Each frame is painted in the animation frame
  // that chose it, so that none is lost when two follow each other closely.
  /** @param {number} now */
  tick(now) {
    const { cursor } = this;
    if (!cursor.get("playing") || !cursor.clock) return;
    this.raf = requestAnimationFrame((then) => this.tick(then));
    const elapsed = this.wallTime === null ? 0 : Math.min(LONGEST_S, (now - this.wallTime) / 1000);
    this.wallTime = now;
    this.clipTime += elapsed * cursor.get("speed");
    const { times, ready, paint } = cursor.clock;
    const frame = cursor.get("frame");
    const next = frameDue(times, frame, cursor.lastFrame(), this.clipTime);
    if (next !== frame && !ready(next)) return this.restart(frame);
    if (next !== frame) {
      cursor.set("frame", next, { now: false });
      paint();
    }
    if (next < cursor.lastFrame()) return;
    if (!cursor.get("range")) {
      cursor.set("playing", false);
    } else if (this.clipTime > times[next] + AT_END_S) {
      this.restart(cursor.firstFrame());
      cursor.set("frame", cursor.firstFrame(), { now: false });
    }
  }
}
