// How a kernel is drawn large, on a canvas.

/** @import { Palette } from "../core/types.d.ts" */
/** @import { Cell } from "./kernel_cells.js" */

import { diverging } from "../core/colours.js";
import { cellText, inkOn } from "./kernel_cells.js";

/**
 * The cells with their numbers, whose signs are read without colour; an edited cell bears a small square.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} size in CSS pixels
 * @param {Float32Array} kernel
 * @param {Float32Array} before without the edits
 * @param {number} limit
 * @param {Palette} colours
 */
export function drawKernel(context, [width, height], kernel, before, limit, colours) {
  const side = Math.sqrt(kernel.length);
  const [cw, ch] = [width / side, height / side];
  context.clearRect(0, 0, width, height);
  Object.assign(context, { font: `${Math.min(11, cw / 3.2)}px ${colours.font}`, textAlign: "center" });
  context.textBaseline = "middle";
  kernel.forEach((value, i) => {
    const [x, y] = [(i % side) * cw, Math.floor(i / side) * ch];
    const colour = diverging(value / limit);
    context.fillStyle = `rgb(${colour})`;
    context.fillRect(x + 0.5, y + 0.5, cw - 1, ch - 1);
    context.fillStyle = inkOn(colour);
    context.fillText(cellText(value, limit), x + cw / 2, y + ch / 2);
    if (value !== before[i]) context.fillRect(x + cw - 7, y + 3, 4, 4);
  });
}

/**
 * A frame around the keyboard's cell.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} size of a cell
 * @param {Cell} cell
 * @param {Palette} colours
 */
export function drawFocus(context, [cw, ch], [x, y], colours) {
  for (const [strokeStyle, lineWidth] of /** @type {[string, number][]} */ ([
    [colours.back, 5],
    [colours.accent, 2.5],
  ])) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.strokeRect(x * cw + 2, y * ch + 2, cw - 4, ch - 4);
  }
}
