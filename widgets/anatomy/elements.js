// Small things that the anatomy's levels are made of: symbols, arrows, bars, numbers.

import { h } from "../core/dom.js";
import { plain } from "../core/text.js";

/**
 * A value with few digits, for ranges.
 *
 * @param {number} value
 */
export function rough(value) {
  const size = Math.abs(value);
  return size < 5e-4 ? "0" : plain(value, size < 0.1 ? 3 : size < 100 ? 2 : 0);
}

/**
 * A symbol with an index below: F₃.
 *
 * @param {string} name
 * @param {number} index
 */
export const symbol = (name, index) => h("span", {}, name, h("sub", {}, String(index)));

/**
 * An arrow of the pipeline, and its words.
 *
 * @param {string} label
 * @param {string} [direction] for the style sheet
 */
export function buildArrow(label, direction = "dkd-on") {
  const words = h("span", {}, label);
  return { element: h("div", { class: `dkd-arrow ${direction}` }, words), words };
}

/**
 * A bar about the middle of its place.
 *
 * @param {HTMLElement} bar
 * @param {number} share −1..1
 */
export function setBar(bar, share) {
  bar.style.width = `${50 * Math.abs(share)}%`;
  bar.style.left = `${share < 0 ? 50 - 50 * Math.abs(share) : 50}%`;
  bar.className = share < 0 ? "dkd-negative" : "dkd-positive";
}
