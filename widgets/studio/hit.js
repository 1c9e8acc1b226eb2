// What lies under a pointer on the frame, and the box that it draws.

import { nearestJoint, toCanvas } from "../workbench/place.js";

/** @import { Point } from "../core/drawing.js" */
/** @import { Place } from "../workbench/place.js" */
/** @import { Box } from "./corrections.d.ts" */

const GRAB_PX = 14; // a joint so near to the pointer is taken
const SELECT_PX = 24; // and one so near is selected where nothing else is nearer
const LIMB_PX = 7; // so near to a limb is on a person

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
