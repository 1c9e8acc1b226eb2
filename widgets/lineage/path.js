// The path of the kernels without the page: where its points are, which one is under the pointer, which have a name.

/** @import { Matrix } from "./messages.d.ts" */

const MARGIN = 26; // CSS pixels around the path
const NEAR = 24; // CSS pixels: a point within this distance of the pointer is meant

/**
 * Where the points of the path are in a canvas, both axes on one scale; null where nothing varies.
 * @param {Float32Array} scores (n, 2); NaN where a kernel is not finite
 * @param {number} width in CSS pixels
 * @param {number} height
 * @returns {((i: number) => [x: number, y: number]) | null}
 */
export function pathPlace(scores, width, height) {
  const [xs, ys] = [0, 1].map((k) => span(scores, k));
  const size = Math.max((xs[1] - xs[0]) / (width - 2 * MARGIN), (ys[1] - ys[0]) / (height - 2 * MARGIN));
  if (!(size > 0 && Number.isFinite(size))) return null;
  const [x0, y0] = [xs, ys].map(([low, high]) => (low + high) / 2);
  return (i) => [width / 2 + (scores[2 * i] - x0) / size, height / 2 - (scores[2 * i + 1] - y0) / size];
}

/**
 * Least and largest finite score of axis k; [Infinity, -Infinity] where there is none.
 * @param {Float32Array} scores
 * @param {number} k
 */
function span(scores, k) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = k; i < scores.length; i += 2) {
    if (!Number.isFinite(scores[i])) continue;
    low = Math.min(low, scores[i]);
    high = Math.max(high, scores[i]);
  }
  return [low, high];
}

/**
 * The index of the point nearest to a place on the canvas; null where none is near.
 * @param {((i: number) => [number, number]) | null} place
 * @param {number} count of points
 * @param {[x: number, y: number]} at
 */
export function pointNear(place, count, at) {
  if (!place) return null;
  let best = null;
  for (let i = 0, least = NEAR; i < count; i++) {
    const [x, y] = place(i);
    const distance = Math.hypot(at[0] - x, at[1] - y);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

/**
 * What is written at which points: the ends, the cursor's frame, and the point under the pointer.
 * @param {ArrayLike<number>} frames
 * @param {number} here index of the cursor's frame
 * @param {number | null} near index of the point under the pointer
 */
export function pointNames(frames, here, near) {
  const names = new Map([
    [0, "first"],
    [frames.length - 1, "last"],
    [here, `frame ${frames[here]}`],
  ]);
  if (near !== null && near < frames.length) names.set(near, `frame ${frames[near]}`);
  return names;
}

/**
 * What stands under the path.
 * @param {Matrix} matrix
 */
export function pathNote({ shares }) {
  if (!shares[0]) return "The kernels never change.";
  const percent = shares.map((share) => `${(100 * share).toFixed(0)} %`);
  return `Components 1 and 2: ${percent.join(" and ")} of the variance. One point per frame, from purple (first) to yellow (last).`;
}
