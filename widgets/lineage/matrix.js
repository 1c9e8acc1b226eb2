// The similarity matrix without the page: which cell is where, what it says, and its colours.

import { diverging, viridis } from "../core/colours.js";
import { clamp, plain, signed } from "../core/text.js";

/** @import { Colour } from "../core/types.d.ts" */
/** @import { Matrix } from "./messages.d.ts" */
/** @typedef {[row: number, column: number]} Cell */
/** @typedef {{ s: number, t: number }} Pair frames: s of the row, t of the column */

export const GUTTER = 48; // CSS pixels to the left of matrix and drift, for the frame numbers
export const FOOT = 18; // CSS pixels below the matrix, for the frame numbers
/** @type {Colour} */
export const GREY = [136, 136, 136]; // no value: a kernel without a direction
const TICK_PX = 42; // least distance between two frame numbers
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
const STRIDE = 10; // cells that Shift and an arrow key move
/** @type {Record<string, Cell>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * The index of the value nearest to `wanted` in an array; of equally near ones the first.
 * @param {ArrayLike<number>} values
 * @param {number} wanted
 */
export function nearest(values, wanted) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i] - wanted) < Math.abs(values[best] - wanted)) best = i;
  return best;
}

/**
 * The largest value, at least `floor`; NaN does not count.
 * @param {Float32Array} values
 * @param {number} floor
 */
export function largest(values, floor) {
  let top = floor;
  for (const value of values) if (value > top) top = value;
  return top;
}

/**
 * Indices of the frames to label along an axis of `length` pixels: at round numbers, always including the first.
 * @param {ArrayLike<number>} frames ascending
 * @param {number} length
 */
export function ticks(frames, length) {
  const last = frames[frames.length - 1];
  const span = Math.max(last - frames[0], 1);
  const step = STEPS.find((s) => (length / span) * s > TICK_PX) ?? 10000;
  /** @type {Set<number>} */
  const at = new Set();
  for (let t = 0; t <= last; t += step) at.add(nearest(frames, t));
  return [...at];
}

/**
 * The cosine in a cell; NaN where a kernel has no direction.
 * @param {Matrix} matrix
 * @param {Cell} cell
 */
export const valueAt = (matrix, [row, column]) => matrix.values[row * matrix.columns.length + column];

/**
 * The cell of two frames, or the nearest one where the matrix holds a sample of the frames.
 * @param {Matrix} matrix
 * @param {Pair} pair
 * @returns {Cell}
 */
export const cellOf = (matrix, { s, t }) => [nearest(matrix.rows, s), nearest(matrix.columns, t)];

/**
 * The two frames of a cell; a cell outside the matrix counts as the nearest one inside.
 * @param {Matrix} matrix
 * @param {Cell} cell
 * @returns {Pair}
 */
export function pairOf({ rows, columns }, [row, column]) {
  return { s: rows[clamp(row, 0, rows.length - 1)], t: columns[clamp(column, 0, columns.length - 1)] };
}

/**
 * The cell that is selected at first: the frame of the cursor against the frame that is least like it.
 * @param {Matrix} matrix
 * @param {number} frame
 * @returns {Cell}
 */
export function firstCell(matrix, frame) {
  const column = nearest(matrix.columns, frame);
  let best = 0;
  for (let row = 1; row < matrix.rows.length; row++) {
    const least = valueAt(matrix, [best, column]);
    if (valueAt(matrix, [row, column]) < least || Number.isNaN(least)) best = row;
  }
  return [best, column];
}

/**
 * The cell under a point of the canvas, in CSS pixels from its upper left corner; at the rims the nearest cell.
 * @param {Matrix} matrix
 * @param {[x: number, y: number]} point
 * @param {[width: number, height: number]} size of the canvas, with gutter and foot
 * @returns {Cell}
 */
export function cellAt({ rows, columns }, [x, y], [width, height]) {
  const column = Math.floor(((x - GUTTER) / (width - GUTTER)) * columns.length);
  const row = Math.floor((y / (height - FOOT)) * rows.length);
  return [clamp(row, 0, rows.length - 1), clamp(column, 0, columns.length - 1)];
}

/**
 * Where an arrow key, with or without Shift, moves a cell; Enter leaves it in place. Null for any other key.
 * @param {Cell} cell
 * @param {{ key: string, shiftKey: boolean }} event
 * @returns {Cell | null}
 */
export function movedCell([row, column], { key, shiftKey }) {
  if (key === "Enter") return [row, column];
  if (!Object.hasOwn(ARROWS, key)) return null;
  const [down, right] = ARROWS[key];
  const by = shiftKey ? STRIDE : 1;
  return [row + by * down, column + by * right];
}

/**
 * What a row is of: "frame", or the other clip's name and "frame".
 * @param {Matrix | null} matrix
 */
export const rowName = (matrix) => (matrix?.other ? `${matrix.other}, frame` : "frame");

/**
 * A cell in words.
 * @param {Matrix} matrix
 * @param {Cell} cell
 */
export function describeCell(matrix, cell) {
  const { s, t } = pairOf(matrix, cell);
  const value = valueAt(matrix, cell);
  const cosine = Number.isFinite(value) ? plain(value, 4) : "no direction";
  return `s: ${rowName(matrix)} ${s} · t: frame ${t} · cosine ${cosine}`;
}

/**
 * The colours of the cells: viridis from the least value to 1; diverging about 0 where the mean was subtracted.
 * @param {Matrix} matrix
 * @returns {(value: number) => Colour}
 */
export function cellColours({ centred, range: [low, high] }) {
  const colour = centred ? diverging : (/** @type {number} */ value) => viridis((value - low) / (high - low));
  return (value) => (Number.isNaN(value) ? GREY : colour(value));
}

/**
 * What is written at the two ends of the colour scale, with as many digits as tell them apart.
 * @param {Matrix} matrix
 * @returns {[string, string]}
 */
export function scaleEnds({ centred, range: [low, high], values }) {
  const digits = clamp(Math.ceil(-Math.log10(high - low)) + 2, 2, 7);
  const number = (/** @type {number} */ value) => (centred ? signed(value, 0) : plain(value, digits));
  const grey = values.some(Number.isNaN) ? " · grey: no direction" : "";
  return [number(low), `${number(high)} cosine${grey}`];
}
