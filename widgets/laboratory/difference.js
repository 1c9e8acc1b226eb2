// The difference between a joint's maps of two runs. Arithmetic only.

/** @import { FrameRecord, Header } from "../core/types.d.ts" */

import { mapBytes } from "../core/drawing.js";
import { clamp, signed } from "../core/text.js";

/** @typedef {[number, number, number]} Square left, top, side in pixels of the frame */

const LIMITS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]; // what the colours of the difference may span

/**
 * A joint's map out of a record, as numbers.
 *
 * @param {Pick<Header, "map" | "map_range">} header
 * @param {Pick<FrameRecord, "maps">} record
 * @param {number} joint
 */
export function mapValues(header, record, joint) {
  const [low, high] = header.map_range;
  return Float32Array.from(mapBytes(header, record, joint), (byte) => low + ((high - low) * byte) / 255);
}

/**
 * Where the cells of one square lie in another, along one axis: the first of two neighbouring cells and the share of
 * the second; null outside. The centre of cell i lies at (i + 0.5) · side / cells.
 *
 * @param {number} cells
 * @param {[number, number]} from start and side of the square whose cells are wanted
 * @param {[number, number]} to start and side of the square whose cells are asked about
 * @returns {([number, number] | null)[]}
 */
function neighbours(cells, from, to) {
  return Array.from({ length: cells }, (_, cell) => {
    const place = (((cell + 0.5) * to[1]) / cells + to[0] - from[0]) * (cells / from[1]) - 0.5;
    if (place < -0.5 || place > cells - 0.5) return null;
    const inside = clamp(place, 0, cells - 1);
    const first = Math.min(Math.floor(inside), cells - 2);
    return [first, inside - first];
  });
}

/**
 * The values of a map, which covers a square of the frame, at the cells of another square: bilinear between the cells'
 * centres, NaN outside the map.
 *
 * @param {Float32Array} values
 * @param {[number, number]} size of both maps
 * @param {Square} from the map's square
 * @param {Square} to the other one
 */
export function resampled(values, [width, height], from, to) {
  const out = new Float32Array(width * height).fill(NaN);
  const columns = neighbours(width, [from[0], from[2]], [to[0], to[2]]);
  const rows = neighbours(height, [from[1], from[2]], [to[1], to[2]]);
  rows.forEach((row, y) => {
    columns.forEach((column, x) => {
      if (!row || !column) return;
      const [[y0, fy], [x0, fx]] = [row, column];
      const i = y0 * width + x0;
      const [top, bottom] = [i, i + width].map((k) => values[k] * (1 - fx) + values[k + 1] * fx);
      out[y * width + x] = top * (1 - fy) + bottom * fy;
    });
  });
  return out;
}

/**
 * The second map minus the first in the cells of the second; where it is largest; and what its colours span.
 *
 * @param {{ values: Float32Array, square: Square }} first
 * @param {{ values: ArrayLike<number>, square: Square }} second
 * @param {[number, number]} size of both maps
 */
export function difference(first, second, size) {
  const before = resampled(first.values, size, first.square, second.square);
  const apart = Float32Array.from(second.values, (value, i) => value - before[i]);
  let at = 0; // the cell of the largest difference
  apart.forEach((value, i) => {
    if (Math.abs(value) > (Math.abs(apart[at]) || 0)) at = i;
  });
  const largest = Math.abs(apart[at]) || 0;
  return { apart, at, largest, limit: LIMITS.find((one) => one >= largest) ?? Math.ceil(largest) };
}

/**
 * Where a difference is largest, in words.
 *
 * @param {Pick<ReturnType<typeof difference>, "apart" | "at" | "largest">} found
 * @param {number} width
 */
export const whereLargest = ({ apart, at, largest }, width) =>
  largest ? `largest ${signed(apart[at], 2)} in cell (${at % width}, ${Math.floor(at / width)})` : "no difference";
