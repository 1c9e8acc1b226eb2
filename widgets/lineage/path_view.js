// The path of the kernels: one point per frame in the plane where they differ most, with a ring at the cursor's frame.

import { viridis } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import { nearest } from "./matrix.js";
import { pathNote, pathPlace, pointNames, pointNear } from "./path.js";
import { onHover } from "./strokes.js";

/** @import { Palette } from "../core/types.d.ts" */
/** @import { LineageState } from "./state.js" */
/** @import { Matrix } from "./messages.d.ts" */
/** @typedef {(i: number) => [x: number, y: number]} Place */

/**
 * @param {LineageState} state
 * @param {HTMLElement} root told where the ring is
 */
export function pathView(state, root) {
  const { store, cursor, signal } = state;
  const canvas = h("canvas", { class: "dkd-lineage-path", role: "img" });
  const note = h("div", { class: "dkd-muted" });
  const fitCanvas = fitted(canvas, signal, () => store.schedule());
  /** @type {number | null} */
  let near = null; // the point under the pointer

  /** @param {MouseEvent} event */
  const under = (event) => {
    if (!state.matrix) return null;
    const box = canvas.getBoundingClientRect();
    const place = pathPlace(state.matrix.scores, canvas.clientWidth, canvas.clientHeight);
    return pointNear(place, state.matrix.frames.length, [event.clientX - box.left, event.clientY - box.top]);
  };
  onHover(canvas, signal, (event) => {
    near = event && under(event);
    store.schedule();
  });
  canvas.addEventListener(
    "click",
    (event) => {
      const i = under(event);
      if (state.matrix && i !== null) cursor.seek(state.matrix.frames[i], event.timeStamp);
    },
    { signal },
  );

  return {
    elements: [h("div", { class: "dkd-where" }, "Path of the kernels"), canvas, note],
    /**
     * @param {Matrix} matrix
     * @param {number} frame
     * @param {Palette} colours
     */
    paint(matrix, frame, colours) {
      note.textContent = pathNote(matrix);
      const [width, height] = fitCanvas();
      if (!width) return;
      const context = context2d(canvas);
      context.clearRect(0, 0, width, height);
      const place = pathPlace(matrix.scores, width, height);
      if (!place) return;
      const here = nearest(matrix.frames, frame);
      drawPoints(context, place, matrix.frames.length, colours);
      drawRing(context, place(here), colours);
      drawNames(context, place, pointNames(matrix.frames, here, near), width, colours);
      root.dataset.ring = String(matrix.frames[here]);
      root.dataset.ringAt = place(here).map(Math.round).join();
      canvas.setAttribute(
        "aria-label",
        `Path of the kernels; frame ${matrix.frames[here]} is marked. ${note.textContent}`,
      );
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} at
 * @param {number} radius
 */
function circle(context, at, radius) {
  context.beginPath();
  context.arc(...at, radius, 0, 2 * Math.PI);
}

/**
 * All points, joined in order of time and coloured by it.
 * @param {CanvasRenderingContext2D} context
 * @param {Place} place
 * @param {number} count
 * @param {Palette} colours
 */
function drawPoints(context, place, count, colours) {
  const colour = (/** @type {number} */ i) => `rgb(${viridis(count > 1 ? i / (count - 1) : 0).join()})`;
  context.lineWidth = 1.5;
  for (let i = 1; i < count; i++) {
    context.strokeStyle = colour(i);
    stroke(context, place(i - 1), place(i));
  }
  Object.assign(context, { strokeStyle: colours.muted, lineWidth: 0.75 });
  for (let i = 0; i < count; i++) {
    context.fillStyle = colour(i);
    circle(context, place(i), 3.5);
    context.fill();
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} at
 * @param {Palette} colours
 */
function drawRing(context, at, colours) {
  Object.assign(context, { strokeStyle: colours.back, lineWidth: 5 });
  circle(context, at, 8);
  context.stroke();
  Object.assign(context, { strokeStyle: colours.accent, lineWidth: 2.5 });
  circle(context, at, 8);
  context.stroke();
}

/**
 * Names beside points, on the side that has room.
 * @param {CanvasRenderingContext2D} context
 * @param {Place} place
 * @param {Map<number, string>} names
 * @param {number} width
 * @param {Palette} colours
 */
function drawNames(context, place, names, width, colours) {
  Object.assign(context, { fillStyle: colours.ink, strokeStyle: colours.back, lineWidth: 4, textBaseline: "middle" });
  context.font = `${colours.small} ${colours.font}`;
  for (const [i, text] of names) {
    const [x, y] = place(i);
    const onLeft = x > width - 70;
    context.textAlign = onLeft ? "right" : "left";
    context.strokeText(text, x + (onLeft ? -12 : 12), y);
    context.fillText(text, x + (onLeft ? -12 : 12), y);
  }
}
