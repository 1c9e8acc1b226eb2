// What a pointer does on the frame: it drags joints, selects people, draws boxes, moves and zooms the picture.

import { toFrame, zoomedAt } from "../workbench/place.js";
import { draggedBox, hit } from "./hit.js";

/** @import { Point } from "../core/drawing.js" */
/** @import { Stage } from "../workbench/player.js" */
/** @import { Box } from "./corrections.d.ts" */
/** @import { Editing } from "./editing.js" */
/** @import { Hit } from "./hit.js" */

const DRAG_PX = 3; // a shorter way is a click
const BOX_PX = 8; // a smaller box is none, in pixels of the frame
const WHEEL = 0.0025; // zoom per unit of the wheel

/** @param {Box} box */
const isLarge = ([x0, y0, x1, y1]) => x1 - x0 >= BOX_PX && y1 - y0 >= BOX_PX;

/** @param {Pick<Stage, "canvas" | "scene">} stage */
function surface({ canvas, scene }) {
  const size = () => /** @type {[number, number]} */ ([canvas.clientWidth, canvas.clientHeight]);
  return {
    size,
    place: () => scene.geometry(size()),
    /** @param {MouseEvent} event */
    onCanvas: (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return /** @type {[number, number]} */ ([event.clientX - left, event.clientY - top]);
    },
  };
}

/**
 * What lies under an event's pointer.
 * @param {Pick<Stage, "canvas" | "scene">} stage
 * @param {Editing} editing
 * @param {MouseEvent} event
 * @returns {Hit}
 */
function under(stage, editing, event) {
  const { shown, header } = editing.store;
  if (!shown) return { kind: "nothing" };
  const { place, onCanvas } = surface(stage);
  return hit(editing.drawn(shown).joints, editing.othersIn(shown.frame), header.limbs, place(), onCanvas(event));
}

/**
 * Ctrl and the wheel zoom; a right click on a joint hides it, or shows it again.
 * @param {Stage} stage
 * @param {Editing} editing
 * @param {AbortSignal} signal
 */
export function followWheelAndMenu(stage, editing, signal) {
  const { store, cursor } = editing;
  const { size, onCanvas } = surface(stage);
  const wheel = (/** @type {WheelEvent} */ event) => {
    if (!(event.ctrlKey || event.metaKey) || !store.header) return;
    event.preventDefault();
    const by = Math.exp(-event.deltaY * WHEEL);
    const { size: frame, pixel_aspect } = store.header;
    editing.look.zoom = zoomedAt(editing.look.zoom, size(), frame, onCanvas(event), by, pixel_aspect);
    store.schedule();
  };
  const menu = (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    const found = under(stage, editing, event);
    if (found.kind !== "joint") return;
    cursor.set("joint", store.header.joints[found.joint]);
    editing.toggleHidden();
  };
  stage.canvas.addEventListener("wheel", wheel, { signal, passive: false });
  stage.canvas.addEventListener("contextmenu", menu, { signal });
}

/**
 * @param {Stage} stage
 * @param {Editing} editing
 * @param {AbortSignal} signal
 */
export function followPointer({ canvas, scene }, editing, signal) {
  const { store, cursor } = editing;
  /** @typedef {{ hit: Hit, from: Point, page: Point, offset: Point, isMoved: boolean, old: Box, isNew: boolean }} Press */
  /** @type {Press | null} */
  let press = null;
  const { size, place, onCanvas } = surface({ canvas, scene });
  const down = (/** @type {PointerEvent} */ event) => {
    const { shown, header } = store;
    if (!shown || event.button || event.ctrlKey) return;
    const [point, found] = [onCanvas(event), under({ canvas, scene }, editing, event)];
    if (cursor.get("playing")) cursor.set("playing", false);
    canvas.setPointerCapture?.(event.pointerId);
    const from = toFrame(place(), point);
    press = { hit: found, from, page: point, offset: [0, 0], isMoved: false, old: editing.boxOf(shown), isNew: false };
    editing.isPressed = true;
    press.isNew = event.shiftKey;
    if (editing.isBoxing || found.kind !== "joint") return;
    const { joints } = editing.drawn(shown);
    press.offset = [joints[2 * found.joint] - from[0], joints[2 * found.joint + 1] - from[1]];
    cursor.set("joint", header.joints[found.joint]);
  };

  const move = (/** @type {PointerEvent} */ event) => {
    if (!press) {
      canvas.style.cursor = editing.isBoxing
        ? "crosshair"
        : { joint: "grab", person: "pointer", nothing: "" }[under({ canvas, scene }, editing, event).kind];
      return;
    }
    const point = onCanvas(event);
    press.isMoved ||= Math.hypot(point[0] - press.page[0], point[1] - press.page[1]) > DRAG_PX;
    if (!press.isMoved) return;
    const at = toFrame(place(), point);
    if (editing.isBoxing) editing.box = draggedBox(press.old, press.from, at, press.isNew, store.header.size);
    else if (press.hit.kind === "joint")
      editing.hold(press.hit.joint, [at[0] + press.offset[0], at[1] + press.offset[1]], true);
    else pan(press, point);
    store.schedule();
  };

  /** @type {(press: Press, point: Point) => void} */
  function pan(press, point) {
    const { zoom } = editing.look;
    const { scale, stretch } = place();
    const across = scale * stretch;
    const [dx, dy] = [(point[0] - press.page[0]) / across, (point[1] - press.page[1]) / scale];
    editing.look.zoom = { ...zoom, x: zoom.x - dx, y: zoom.y - dy };
    const { left, top } = place(); // at the picture's edge it stops
    const [width, height] = size();
    editing.look.zoom = { ...zoom, x: (width / 2 - left) / across, y: (height / 2 - top) / scale };
    press.page = point;
  }

  const up = () => {
    const ended = press;
    press = null;
    editing.isPressed = false;
    if (!ended || !store.shown) return;
    if (editing.isBoxing && editing.box) {
      if (isLarge(editing.box)) editing.setBox(store.shown.frame);
      else editing.forget();
    } else if (editing.isDragged) editing.letGo();
    else if (ended.hit.kind === "person" && !ended.isMoved) editing.send({ type: "select", name: ended.hit.name });
  };
  const cancel = () => editing.forget();
  editing.dropPointer = () => {
    press = null;
    editing.isPressed = false;
  };

  canvas.addEventListener("pointerdown", down, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", up, { signal });
  canvas.addEventListener("pointercancel", cancel, { signal });
}
