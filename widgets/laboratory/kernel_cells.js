// Cells of the large kernel: which one a key means, what a key paints, and how a value is written.

import { clamp, signed } from "../core/text.js";

/** @typedef {[number, number]} Cell x, y */

/** @type {Record<string, Cell>} */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 1 / 20; // of the brush's largest value: what + and − add

/**
 * The cell that an arrow key goes to; null for other keys.
 *
 * @param {string} key
 * @param {Cell} cell
 * @param {number} side
 * @returns {Cell | null}
 */
export function movedCell(key, [x, y], side) {
  const by = MOVES[key];
  return by ? [clamp(x + by[0], 0, side - 1), clamp(y + by[1], 0, side - 1)] : null;
}

/**
 * The value that a key gives a cell; null for keys that paint nothing.
 *
 * @param {string} key
 * @param {number} value of the cell
 * @param {{ value: number, most: number }} brush
 */
export function paintedByKey(key, value, brush) {
  if (key === "+" || key === "=") return value + brush.most * STEP;
  if (key === "-") return value - brush.most * STEP;
  if (key === "0") return 0;
  return key === "Enter" || key === " " ? brush.value : null;
}

/**
 * How many decimals show two digits of the largest value.
 *
 * @param {number} limit
 */
export const digitsFor = (limit) => clamp(1 - Math.floor(Math.log10(limit)), 0, 6);

/**
 * A cell's value as text, so short that it fits: "+.25".
 *
 * @param {number} value
 * @param {number} limit the largest magnitude
 */
export const cellText = (value, limit) =>
  value === 0 ? "0" : signed(value, digitsFor(limit)).replace(/^([+−])0\./, "$1.");

/**
 * Black or white, whichever is read better on a colour.
 *
 * @param {ArrayLike<number>} colour red, green, blue in 0..255
 */
export const inkOn = (colour) => (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2] > 140 ? "#000" : "#fff");
