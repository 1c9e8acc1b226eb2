// The arithmetic of the matching step in one cell, from the exact numbers of a detail.
//
//   H[j](x, y) = bias[j] + Σ_c U[j,c] · Σ_dy Σ_dx K[c](dx, dy) · P[c](x + dx, y + dy)
//
// where P = V·F, zero outside the map.

/** @import { Detail, Explanation, Header } from "./types.d.ts" */

/**
 * The S×S patch of a channel's projected features around a cell.
 * @param {Pick<Header, "kernel" | "map">} header
 * @param {Pick<Detail, "projected">} detail
 * @param {number} channel
 * @param {number} x
 * @param {number} y
 */
export function patchAt({ kernel: side, map }, { projected }, channel, x, y) {
  const [width, height] = map;
  const reach = (side - 1) / 2;
  const patch = new Float32Array(side * side);
  for (let dy = 0; dy < side; dy++)
    for (let dx = 0; dx < side; dx++) {
      const [row, column] = [y + dy - reach, x + dx - reach];
      if (row >= 0 && row < height && column >= 0 && column < width)
        patch[dy * side + dx] = projected[(channel * height + row) * width + column];
    }
  return patch;
}

/**
 * A joint's effective kernel in a channel: U[j,c] K[c].
 * @param {Pick<Header, "kernel" | "channels" | "readout">} header
 * @param {Pick<Detail, "kernels">} detail
 * @param {number} joint
 * @param {number} channel
 */
export function effectiveKernel({ kernel: side, channels, readout }, { kernels }, joint, channel) {
  const weight = readout[joint * channels + channel];
  return kernels.subarray(channel * side * side, (channel + 1) * side * side).map((k) => k * weight);
}

/**
 * How the value of a joint's map in a cell comes about; parts are sorted, the largest magnitude first.
 * @param {Pick<Header, "kernel" | "map" | "channels" | "readout" | "bias">} header
 * @param {Pick<Detail, "projected" | "kernels">} detail
 * @param {number} joint
 * @param {number} x
 * @param {number} y
 * @returns {Explanation}
 */
export function explainCell(header, detail, joint, x, y) {
  const parts = Array.from({ length: header.channels }, (_, channel) => {
    const patch = patchAt(header, detail, channel, x, y);
    const kernel = effectiveKernel(header, detail, joint, channel);
    return { channel, patch, kernel, contribution: patch.reduce((sum, p, i) => sum + p * kernel[i], 0) };
  });
  const bias = header.bias[joint];
  const value = parts.reduce((sum, part) => sum + part.contribution, bias);
  parts.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  return { value, bias, parts };
}

/**
 * The kernel (S, S) of one channel out of the kernels of a frame (C, S, S): a view, not a copy.
 *
 * @param {Float32Array<ArrayBuffer>} kernels
 * @param {number} side S
 * @param {number} channel
 */
export const kernelOf = (kernels, side, channel) =>
  kernels.subarray(channel * side * side, (channel + 1) * side * side);
