// What the interventions did, in numbers and words. The message comes from `render_effect` in Python.

/** @import { Message } from "../core/types.d.ts" */

import { readable } from "../core/text.js";
import { readMessage } from "../core/wire.js";

/**
 * When the two tracks part, how far, and when they meet again.
 *
 * @typedef {object} Recovery
 * @property {number | null} first the first frame that differs by more than the tolerance
 * @property {number} peak the largest distance, in shares of the person's box
 * @property {number} peak_frame
 * @property {string} peak_joint
 * @property {number | null} recovered the first frame after the interventions from which on the tracks agree
 * @property {number | null} frames how many frames that took
 * @property {boolean} lasts whether an intervention acts to the end of the clip
 * @property {number} tolerance in shares of the person's box
 */

/**
 * @typedef {object} Effect
 * @property {string[]} calls lines of Python, the newest last
 * @property {string} code all of them as one line
 * @property {number} frames that are computed
 * @property {number} of how many
 * @property {[number, number][]} spans [start, stop] of the frames of each call
 * @property {Float32Array} distances (frames, J) in shares of the person's box
 * @property {Recovery | null} recovery null without interventions
 * @property {boolean} undo whether there is anything to undo
 * @property {boolean} redo
 * @property {boolean} waits whether steps wait for frames that are being computed
 */

/**
 * The effect out of the trait that holds it: a message with its buffers.
 *
 * @param {Message & { buffers: DataView[] }} trait
 * @returns {Effect}
 */
export function readEffect({ buffers, ...content }) {
  return /** @type {Effect} */ (readMessage(content, buffers));
}

/** @param {number} value */
const share = (value) => `${value.toFixed(3)} of the box`;

/**
 * How the second track left the first and came back, in one sentence.
 *
 * @param {Pick<Effect, "recovery" | "frames" | "of">} effect
 */
export function sentence({ recovery, frames, of }) {
  if (!recovery) return "no interventions: both runs are the same";
  const soFar = frames < of ? " so far" : "";
  const joint = readable(recovery.peak_joint);
  const largest = `largest ${share(recovery.peak)} in frame ${recovery.peak_frame} (${joint})`;
  if (recovery.first === null) return `never more than ${recovery.tolerance} of the box apart${soFar} · ${largest}`;
  return `first differs in frame ${recovery.first} · ${largest} · ${howItEnds(recovery, frames < of)}`;
}

/** @type {(recovery: Recovery, isGrowing: boolean) => string} */
function howItEnds({ frames, recovered, lasts }, isGrowing) {
  if (frames !== null) return `back after ${frames} frame${frames === 1 ? "" : "s"} (frame ${recovered})`;
  if (lasts) return "lasts to the end";
  return isGrowing ? "not back yet" : "not back";
}

/**
 * The distances per frame: of the joint that is furthest off, and of one joint.
 *
 * @param {Pick<Effect, "distances" | "frames">} effect
 * @param {number} joints how many there are
 * @param {number} joint
 */
export function curves({ distances, frames }, joints, joint) {
  const rows = Array.from({ length: frames }, (_, t) => distances.subarray(t * joints, (t + 1) * joints));
  return { worst: rows.map((row) => Math.max(...row)), mine: rows.map((row) => row[joint]) };
}

/**
 * What is said while frames are missing.
 *
 * @param {Pick<Effect, "of" | "waits">} effect
 * @param {number} frame the cursor's
 * @param {number} computed frames
 * @param {string} otherwise what is said when all is computed
 */
export function progress({ of, waits }, frame, computed, otherwise) {
  const computing = `computing … frame ${computed} of ${of}`;
  const note = computed < of ? computing : waits ? "waiting for its frames …" : otherwise;
  return { isMissing: frame >= computed, computing, note };
}
