// A drag over "what if" is a rectangle to cover; a click selects a joint. A part of the laboratory.

/** @import { Place } from "../workbench/place.js" */
/** @import { Run } from "./run_view.js" */

import { context2d } from "../core/dom.js";
import { clamp } from "../core/text.js";

const DRAG_PX = 4; // a shorter way is a click

/** @typedef {[number, number]} Point */

/**
 * The rectangle between two points, in whole pixels: left, top, right, bottom.
 *
 * @param {Point} from
 * @param {Point} to
 */
export const between = (from, to) =>
  [Math.min, Math.max].flatMap((pick) => [0, 1].map((k) => Math.round(pick(from[k], to[k]))));

/**
 * A point of the page in pixels of the frame.
 *
 * @param {{ clientX: number, clientY: number }} point
 * @param {{ left: number, top: number }} canvas where it lies on the page
 * @param {Place} picture where the frame lies on the canvas
 * @param {Point} size of the frame
 * @returns {Point}
 */
export const inFrame = ({ clientX, clientY }, canvas, picture, size) => [
  clamp((clientX - canvas.left - picture.left) / (picture.scale * (picture.stretch ?? 1)), 0, size[0]),
  clamp((clientY - canvas.top - picture.top) / picture.scale, 0, size[1]),
];

/**
 * @param {Pick<Run, "canvas" | "scene" | "store">} run
 * @param {(rectangle: number[]) => void} dragged called with each rectangle
 * @param {AbortSignal} signal
 * @param {(isMeant: boolean) => void} released called after a drag; false where the browser has cut it off
 */
export function listenForRectangle({ canvas, scene, store }, dragged, signal, released = () => {}) {
  /** @type {{ from: Point, at: Point, isMoved: boolean } | null} */
  let drag = null;
  /** @param {PointerEvent} event */
  const toFrame = (event) => {
    const picture = scene.geometry([canvas.clientWidth, canvas.clientHeight]);
    return inFrame(event, canvas.getBoundingClientRect(), picture, store.header?.size ?? [0, 0]);
  };
  /** @param {PointerEvent} event */
  const start = (event) => {
    if (event.button || !store.header) return;
    canvas.setPointerCapture?.(event.pointerId);
    drag = { from: toFrame(event), at: [event.clientX, event.clientY], isMoved: false };
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    if (!drag) return;
    drag.isMoved ||= Math.hypot(event.clientX - drag.at[0], event.clientY - drag.at[1]) > DRAG_PX;
    if (drag.isMoved) dragged(between(drag.from, toFrame(event)));
  };
  /** @param {PointerEvent} event */
  const end = (event) => {
    const was = drag;
    drag = null;
    if (was && !was.isMoved) scene.select(canvas, event);
    else if (was) released(true);
  };
  const cancel = () => {
    if (drag) released(false);
    drag = null;
  };
  canvas.addEventListener("pointerdown", start, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", end, { signal });
  canvas.addEventListener("pointercancel", cancel, { signal });
}

/**
 * Draw the rectangle of the form that covers, where it is filled in.
 *
 * @param {Pick<Run, "canvas" | "scene" | "measure">} run
 * @param {string[] | undefined} rectangle as text
 */
export function drawRectangle({ canvas, scene, measure }, rectangle) {
  if (!rectangle || rectangle.includes("")) return;
  const [x0, y0, x1, y1] = rectangle.map(Number);
  const { scale, stretch, left, top } = scene.geometry(measure());
  const across = scale * stretch;
  const context = context2d(canvas);
  for (const [strokeStyle, lineWidth, dash] of /** @type {[string, number, number[]][]} */ ([
    ["rgba(0,0,0,.7)", 4, []],
    ["#ffffff", 2, [6, 4]],
  ])) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.setLineDash(dash);
    context.strokeRect(left + x0 * across, top + y0 * scale, (x1 - x0) * across, (y1 - y0) * scale);
  }
  context.setLineDash([]);
}
