// The convolution of one channel, cell by cell: the arithmetic and the order of the steps. Nothing here knows the page.

/** @import { Detail, Header } from "../core/types.d.ts" */

import { kernelOf, patchAt } from "../core/arithmetic.js";
import { clamp } from "../core/text.js";

/** @typedef {Pick<Header, "map" | "kernel">} Sizes */

/**
 * The cell of a step. Steps go row by row, from the upper left to the lower right.
 *
 * @param {number} step
 * @param {number} width of the map
 * @returns {[number, number]} x, y
 */
export const cellOf = (step, width) => [step % width, Math.floor(step / width)];

/**
 * The nearest step that there is.
 *
 * @param {number} step any number, also Infinity
 * @param {[number, number]} map width, height
 */
export const nearestStep = (step, [width, height]) => clamp(Math.floor(step), 0, width * height - 1);

/**
 * Where a key moves the window; null for other keys.
 *
 * @param {string} key
 * @param {number} step
 * @param {number} width of the map
 */
export function stepByKey(key, step, width) {
  /** @type {Record<string, number>} */
  const steps = {
    ArrowLeft: step - 1,
    ArrowRight: step + 1,
    ArrowUp: step - width,
    ArrowDown: step + width,
    Home: 0,
    End: Infinity,
  };
  return steps[key] ?? null;
}

/**
 * What happens in one step: the window's features, and each times the kernel's number.
 *
 * @param {Sizes} header
 * @param {Detail} detail
 * @param {number} channel
 * @param {[number, number]} cell x, y
 */
export function windowAt(header, detail, channel, [x, y]) {
  const patch = patchAt(header, detail, channel, x, y);
  const kernel = kernelOf(detail.kernels, header.kernel, channel);
  return { patch, kernel, products: patch.map((p, i) => p * kernel[i]) };
}

/**
 * All sums: the channel's matched map (H, W).
 *
 * @param {Sizes} header
 * @param {Detail} detail
 * @param {number} channel
 */
export function matchedChannel(header, detail, channel) {
  const [width, height] = header.map;
  const kernel = kernelOf(detail.kernels, header.kernel, channel);
  return Float32Array.from({ length: width * height }, (_, step) => {
    const [x, y] = cellOf(step, width);
    return patchAt(header, detail, channel, x, y).reduce((sum, p, i) => sum + p * kernel[i], 0);
  });
}

/**
 * The matched map as far as it is computed; NaN in the cells after the step.
 *
 * @param {Float32Array} output
 * @param {number} step
 */
export const computedSoFar = (output, step) => output.map((value, k) => (k <= step ? value : NaN));

/**
 * The channel's projected features with a rim, as wide as the kernel reaches, of NaN.
 *
 * @param {Sizes} header
 * @param {Detail} detail
 * @param {number} channel
 */
export function rimmed({ map: [width, height], kernel: side }, { projected }, channel) {
  const reach = (side - 1) / 2;
  const [wide, high] = [width + side - 1, height + side - 1];
  const values = Float32Array.from({ length: wide * high }, (_, k) => {
    const [x, y] = [(k % wide) - reach, Math.floor(k / wide) - reach];
    const isOutside = x < 0 || y < 0 || x >= width || y >= height;
    return isOutside ? NaN : projected[(channel * height + y) * width + x];
  });
  return { values, wide, high, reach };
}
