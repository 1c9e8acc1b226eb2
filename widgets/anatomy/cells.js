// Cells of a map on the page: boxes around them, and arrow keys that move between them.

/** @import { Cell } from "../core/types.d.ts" */

import { place } from "../core/tiles.js";

/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Make a box as large as a cell of the map that fills the box's parent.
 *
 * @param {HTMLElement} box
 * @param {[number, number]} map width, height
 */
export function sizeOfCell(box, [width, height]) {
  box.style.width = `${100 / width}%`;
  box.style.height = `${100 / height}%`;
}

/**
 * Put a box around a cell of the map that fills the box's parent.
 *
 * @param {HTMLElement} box
 * @param {Cell} cell
 * @param {[number, number]} map width, height
 */
export function frameCell(box, { x, y, why }, map) {
  sizeOfCell(box, map);
  place(box, x, y, map);
  box.classList.toggle("dkd-pinned", why === "pinned");
}

/**
 * Arrow keys on an element that has the focus, kept from the view's own keys.
 *
 * @param {HTMLElement} element
 * @param {(dx: number, dy: number) => void} act
 */
export function onArrows(element, act) {
  element.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.matches("input, select")) return;
    act(...way);
    event.preventDefault();
    event.stopPropagation();
  });
}
