// The frames of a joint to look at first, as worst_frames in dkd/analysis/moments.py finds them.

import { roundEven } from "./squares.js";

/**
 * The value below which a share of some values lies, linear between two of them.
 * @param {number[]} values
 * @param {number} share
 */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - low);
}

/**
 * Minima of windows of `reach` frames on either side, the first of equal ones, in the lower quarter of the curve.
 * @param {number[]} curve NaN where it is unknown
 * @param {number} reach
 */
function dips(curve, reach) {
  const known = curve.filter(Number.isFinite);
  if (!known.length) return [];
  const limit = quantile(known, 0.25);
  return curve.flatMap((here, t) => {
    if (!(here <= limit)) return [];
    const before = curve.slice(Math.max(0, t - reach), t).filter(Number.isFinite);
    const after = curve.slice(t + 1, t + 1 + reach).filter(Number.isFinite);
    const isLowest = before.every((value) => here < value) && after.every((value) => here <= value);
    return isLowest && [...before, ...after].some((value) => here < value) ? [t] : [];
  });
}

/**
 * Where a joint's score is lowest, or the kernels change most, within a quarter of a second on either side.
 * @param {number[]} scores
 * @param {number[]} drift 1 − cos of the kernels and those of the frame before; that of the first frame does not count
 * @param {number} fps
 * @returns {number[]} frames, ascending
 */
export function worstFrames(scores, drift, fps) {
  const reach = Math.max(2, roundEven(fps / 4));
  const rises = drift.map((value, t) => (t ? -value : Number.NaN));
  return [...new Set([...dips(scores, reach), ...dips(rises, reach)])].sort((a, b) => a - b);
}
