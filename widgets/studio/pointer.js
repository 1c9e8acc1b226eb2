// What a pointer does on the frame: it drags joints, selects people, draws boxes, moves and zooms the picture.

import { nearestJoint, toCanvas, toFrame, zoomedAt } from "../workbench/place.js";

/** @import { Point } from "../core/drawing.js" */
/** @import { Place } from "../workbench/place.js" */
/** @import { Stage } from "../workbench/player.js" */
/** @import { Box, Editing } from "./editing.js" */

const GRAB_PX = 14; // a joint so near to the pointer is taken
const SELECT_PX = 24; // and one so near is selected where nothing else is nearer
const LIMB_PX = 7; // so near to a limb is on a person
const DRAG_PX = 3; // a shorter way is a click
const BOX_PX = 8; // a smaller box is none, in pixels of the frame
const WHEEL = 0.0025; // zoom per unit of the wheel

/** @typedef {{ kind: "joint", joint: number } | { kind: "person", name: string } | { kind: "nothing" }} Hit */

/**
 * What lies under a pointer: a joint of the selected person first, unless another person is nearer.
 * @param {ArrayLike<number>} joints of the selected person, x and y of each, in pixels of the frame
 * @param {{ name: string, joints: ArrayLike<number> }[]} others in this frame
 * @param {[number, number][]} limbs
 * @param {Place} place
 * @param {Point} at on the canvas
 * @returns {Hit}
 */
export function hit(joints, others, limbs, place, at) {
  const { joint, distance } = nearestJoint(joints, place, at);
  if (distance <= GRAB_PX) return { kind: "joint", joint };
  const away = others.map((one) => distanceTo(one.joints, limbs, place, at));
  const nearest = away.indexOf(Math.min(...away));
  if (nearest >= 0 && away[nearest] <= LIMB_PX && away[nearest] < distance)
    return { kind: "person", name: others[nearest].name };
  return distance <= SELECT_PX ? { kind: "joint", joint } : { kind: "nothing" };
}

/**
 * How far a point of the canvas is from a skeleton.
 * @param {ArrayLike<number>} joints
 * @param {[number, number][]} limbs
 * @param {Place} place
 * @param {Point} at
 */
function distanceTo(joints, limbs, place, at) {
  const of = (/** @type {number} */ j) => toCanvas(place, [joints[2 * j], joints[2 * j + 1]]);
  const parts = limbs.map(([a, b]) => toSegment(of(a), of(b), at)).filter(Number.isFinite);
  return Math.min(nearestJoint(joints, place, at).distance, ...parts);
}

/** @type {(from: Point, to: Point, at: Point) => number} */
function toSegment([x0, y0], [x1, y1], [x, y]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const along = length ? Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) : 0;
  return Math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0));
}

/**
 * The box that a drag makes: moved where it begins inside the old one, else drawn. It stays within the frame.
 * @param {Box} old
 * @param {Point} from in pixels of the frame
 * @param {Point} to
 * @param {boolean} isNew whether it is drawn in any case
 * @param {Point} size of the frame
 * @returns {Box}
 */
export function draggedBox(old, from, to, isNew, [width, height]) {
  const within = (/** @type {number} */ value, /** @type {number} */ top) => Math.min(top, Math.max(0, value));
  const [x0, y0, x1, y1] = old;
  const isInside = from[0] >= x0 && from[0] <= x1 && from[1] >= y0 && from[1] <= y1;
  if (isInside && !isNew) {
    const dx = Math.min(width - x1, Math.max(-x0, to[0] - from[0]));
    const dy = Math.min(height - y1, Math.max(-y0, to[1] - from[1]));
    return [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
  }
  const [xs, ys] = [[from[0], to[0]].map((x) => within(x, width)), [from[1], to[1]].map((y) => within(y, height))];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

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
    editing.look.zoom = zoomedAt(editing.look.zoom, size(), store.header.size, onCanvas(event), by);
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
    const { scale } = place();
    const [dx, dy] = [0, 1].map((k) => (point[k] - press.page[k]) / scale);
    editing.look.zoom = { ...zoom, x: zoom.x - dx, y: zoom.y - dy };
    const { left, top } = place(); // at the picture's edge it stops
    const [width, height] = size();
    editing.look.zoom = { ...zoom, x: (width / 2 - left) / scale, y: (height / 2 - top) / scale };
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
