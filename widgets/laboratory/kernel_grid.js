// The shown kernel, large, with a number in each cell: painted on with a pointer or with keys.

/** @import { EditedKernels } from "./edited_kernels.js" */
/** @import { Cell } from "./kernel_cells.js" */

import { palette } from "../core/colours.js";
import { context2d, focusedIn, h } from "../core/dom.js";
import { fitted } from "../core/drawing.js";
import { signed } from "../core/text.js";
import { cellUnder } from "../core/tiles.js";
import { buildBrush } from "./kernel_brush.js";
import { movedCell, paintedByKey } from "./kernel_cells.js";
import { drawFocus, drawKernel } from "./kernel_drawing.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root the view
 * @param {EditedKernels} options.edited
 * @param {() => number} options.channel the channel that is shown
 * @param {() => void} options.changed asks for a new painting
 * @param {() => void} options.lifted called after a stroke, and after each key that paints
 * @param {AbortSignal} options.signal
 */
export function buildKernelGrid({ root, edited, channel, changed, lifted, signal }) {
  /** @type {Cell} */
  let at = [0, 0]; // the cell of the keyboard
  /** @type {number | null} */
  let painting = null; // the pointer that paints
  const canvas = h("canvas", { class: "dkd-kernel-grid", tabindex: 0, role: "application" });
  const said = h("div", { class: "dkd-unseen", role: "status" });
  const brush = buildBrush();
  const element = h("div", { class: "dkd-kernel-large" }, canvas, brush.element);
  const measure = fitted(canvas, signal, changed);
  const side = () => edited.now?.header.kernel ?? 1;

  /** @type {(cell: Cell, value: number) => void} */
  const paint = (cell, value) => {
    if (edited.paint(channel(), cell, value)) changed();
  };

  /** @param {PointerEvent} event */
  const stroke = (event) => {
    at = cellUnder(event, canvas.getBoundingClientRect(), [side(), side()]);
    paint(at, event.shiftKey ? 0 : brush.value());
  };
  /** @param {PointerEvent} event */
  const start = (event) => {
    if (!edited.now || event.button) return;
    painting = event.pointerId;
    canvas.setPointerCapture?.(event.pointerId);
    canvas.focus({ preventScroll: true });
    event.stopPropagation();
    stroke(event);
  };
  const end = () => {
    if (painting !== null) lifted();
    painting = null;
  };
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (!edited.now || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = () => edited.kernel(channel())[at[1] * side() + at[0]];
    const moved = movedCell(event.key, at, side());
    const painted = paintedByKey(event.key, here(), { value: brush.value(), most: brush.most() });
    if (!moved && painted === null) return;
    if (moved) at = moved;
    else if (painted !== null) {
      paint(at, painted);
      lifted();
    }
    event.preventDefault();
    event.stopPropagation();
    if (edited.now) said.textContent = `row ${at[1]}, column ${at[0]}: ${signed(here())}`;
    changed();
  };
  canvas.addEventListener("pointerdown", start, { signal });
  canvas.addEventListener("pointermove", (event) => event.pointerId === painting && stroke(event), { signal });
  canvas.addEventListener("pointerup", end, { signal });
  canvas.addEventListener("pointercancel", end, { signal });
  canvas.addEventListener("keydown", onKey, { signal });
  canvas.addEventListener("focus", changed, { signal });
  canvas.addEventListener("blur", changed, { signal });

  return {
    element,
    said,
    brush,
    /** @param {{ kernel: number }} header */
    header({ kernel }) {
      at = [Math.floor(kernel / 2), Math.floor(kernel / 2)];
    },
    /** @param {number} limit the magnitude that has the full colour */
    draw(limit) {
      const shown = channel();
      canvas.setAttribute(
        "aria-label",
        `Kernel of channel ${shown}: arrow keys move, + and − change, 0 clears, Enter paints the brush’s value`,
      );
      const [width, height] = measure();
      if (!width) return;
      const context = context2d(canvas);
      const colours = palette(root);
      drawKernel(context, [width, height], edited.kernel(shown), edited.original(shown), limit, colours);
      if (focusedIn(canvas) === canvas) drawFocus(context, [width / side(), height / side()], at, colours);
    },
  };
}
