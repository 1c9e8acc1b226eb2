// Strokes and pointer handling that the parts of the lineage view share.

import { stroke } from "../core/drawing.js";

/** @import { Palette } from "../core/types.d.ts" */

/**
 * The cursor's line over data: dark and light, so that it shows on any colour.
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} from
 * @param {[number, number]} to
 * @param {Palette} colours
 */
export function cursorLine(context, from, to, colours) {
  Object.assign(context, { strokeStyle: colours.back, lineWidth: 3 });
  stroke(context, from, to);
  Object.assign(context, { strokeStyle: colours.accent, lineWidth: 1.25 });
  stroke(context, from, to);
}

/**
 * Call over(event) when the pointer moves over an element, and over(null) when it leaves.
 * @param {HTMLElement} element
 * @param {AbortSignal} signal
 * @param {(event: PointerEvent | null) => void} over
 */
export function onHover(element, signal, over) {
  element.addEventListener("pointermove", (event) => over(event), { signal });
  element.addEventListener("pointerleave", () => over(null), { signal });
}
