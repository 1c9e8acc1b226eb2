// Edits of one frame's kernels, as dkd.tracking.interventions.edit makes them, and the map that follows.
// Arithmetic only: nothing here knows the page.

/** @import { Detail, Header } from "../core/types.d.ts" */

import { kernelOf } from "../core/arithmetic.js";

/**
 * One edit of the kernels of a frame.
 *
 * @typedef {object} KernelEdit
 * @property {"zero" | "solo" | "blur" | "rotate" | "paint"} operation
 * @property {number[]} channels the kernels it acts on; with "solo", those that it keeps
 * @property {number} [amount] of "blur": sigma in cells; of "rotate": degrees
 * @property {number[]} [values] of "paint": the new kernel, S·S numbers, row by row
 */

/**
 * A kernel turned by 90° counter-clockwise.
 *
 * @param {Float32Array<ArrayBuffer>} kernel
 * @param {number} side
 */
export function rotated(kernel, side) {
  return kernel.map((_, i) => kernel[(i % side) * side + side - 1 - Math.floor(i / side)]);
}

/**
 * A kernel blurred by a Gaussian, zero outside; as OpenCV does it, whose window is 8 sigma wide.
 *
 * @param {Float32Array<ArrayBuffer>} kernel
 * @param {number} side
 * @param {number} sigma in cells
 */
export function blurred(kernel, side, sigma) {
  const reach = (Math.round(8 * sigma + 1) | 1) >> 1;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
  const total = weights.reduce((a, b) => a + b, 0);
  /** @type {(values: Float64Array, step: number, place: (i: number) => number) => Float64Array} */
  const along = (values, step, place) =>
    values.map((_, i) => {
      let sum = 0;
      for (let d = -reach; d <= reach; d++) {
        const at = place(i) + d;
        if (at >= 0 && at < side) sum += (weights[d + reach] / total) * values[i + d * step];
      }
      return sum;
    });
  const rows = along(Float64Array.from(kernel), 1, (i) => i % side);
  return Float32Array.from(along(rows, side, (i) => Math.floor(i / side)));
}

/**
 * All kernels (C, S, S) after an edit, as a new array.
 *
 * @param {Float32Array<ArrayBuffer>} kernels
 * @param {number} side
 * @param {KernelEdit} edit
 */
export function editKernels(kernels, side, { operation, channels, amount = 0, values = [] }) {
  const area = side * side;
  const out = kernels.slice();
  const chosen = new Set(channels);
  for (let c = 0; c < kernels.length / area; c++) {
    if (chosen.has(c) === (operation === "solo")) continue;
    const kernel = kernelOf(kernels, side, c);
    if (operation === "zero" || operation === "solo") out.fill(0, c * area, (c + 1) * area);
    if (operation === "blur") out.set(blurred(kernel, side, amount), c * area);
    if (operation === "rotate") out.set(rotated(kernel, side), c * area);
    if (operation === "paint") out.set(values, c * area);
  }
  return out;
}

/**
 * map += weight · (kernel ⊛ P[channel]), zero outside the map: what one channel adds to a joint's map (H, W).
 *
 * @param {Float64Array} map changed in place
 * @param {Pick<Header, "kernel" | "map">} header
 * @param {Pick<Detail, "projected">} detail
 * @param {number} channel
 * @param {Float32Array<ArrayBuffer>} kernel
 * @param {number} weight
 */
function addMatched(map, { kernel: side, map: [width, height] }, { projected }, channel, kernel, weight) {
  const reach = (side - 1) / 2;
  for (let i = 0; i < side * side; i++) {
    const factor = weight * kernel[i];
    if (!factor) continue;
    const [dx, dy] = [(i % side) - reach, Math.floor(i / side) - reach];
    const [left, right] = [Math.max(0, -dx), Math.min(width, width - dx)];
    for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
      const from = (channel * height + y + dy) * width + dx;
      for (let x = left; x < right; x++) map[y * width + x] += factor * projected[from + x];
    }
  }
}

/** @typedef {Pick<Header, "kernel" | "map" | "channels" | "readout" | "bias">} MatchHeader */

/**
 * A joint's map (H, W) from all kernels.
 *
 * @param {MatchHeader} header
 * @param {Pick<Detail, "projected">} detail
 * @param {Float32Array<ArrayBuffer>} kernels
 * @param {number} joint
 */
export function matchedMap(header, detail, kernels, joint) {
  const map = new Float64Array(header.map[0] * header.map[1]).fill(header.bias[joint]);
  for (let c = 0; c < header.channels; c++) {
    const kernel = kernelOf(kernels, header.kernel, c);
    addMatched(map, header, detail, c, kernel, header.readout[joint * header.channels + c]);
  }
  return map;
}

/**
 * The channels whose kernels differ between two arrays (C, S, S).
 *
 * @param {Float32Array<ArrayBuffer>} before
 * @param {Float32Array<ArrayBuffer>} after
 * @param {number} area S·S
 */
export function changedChannels(before, after, area) {
  const changed = new Set();
  before.forEach((value, i) => {
    if (value !== after[i]) changed.add(Math.floor(i / area));
  });
  return [...changed];
}

/**
 * Update a joint's map from some kernels to others. Where few kernels differ, only the differences are matched.
 *
 * @param {Float64Array} map changed in place
 * @param {MatchHeader} header
 * @param {Pick<Detail, "projected">} detail
 * @param {Float32Array<ArrayBuffer>} before
 * @param {Float32Array<ArrayBuffer>} after
 * @param {number} joint
 */
export function updateMap(map, header, detail, before, after, joint) {
  const side = header.kernel;
  const changed = changedChannels(before, after, side * side);
  if (2 * changed.length > header.channels) return map.set(matchedMap(header, detail, after, joint));
  for (const c of changed) {
    const old = kernelOf(before, side, c);
    const difference = kernelOf(after, side, c).map((value, i) => value - old[i]);
    addMatched(map, header, detail, c, difference, header.readout[joint * header.channels + c]);
  }
}
