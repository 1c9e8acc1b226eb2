// Boxes in pixels of the frame: drawn, moved and resized, always inside the frame.

import { clamp } from "../core/text.js";

/** @import { Box } from "./types.d.ts" */

/** @typedef {readonly [number, number]} Point */
/** @typedef {"move" | "nw" | "ne" | "sw" | "se"} Grip */

export const SMALLEST = 8; // pixels, as in persons.py
/** @type {Grip[]} */
export const CORNERS = ["nw", "ne", "sw", "se"];

/**
 * The box between two points.
 * @param {Point} from
 * @param {Point} to
 * @param {Point} size of the frame
 * @returns {Box}
 */
export function between(from, to, [width, height]) {
  const x = [from[0], to[0]].map((v) => clamp(v, 0, width)).sort((a, b) => a - b);
  const y = [from[1], to[1]].map((v) => clamp(v, 0, height)).sort((a, b) => a - b);
  return [x[0], y[0], x[1], y[1]];
}

/**
 * A box that was moved, or one of whose corners was.
 * @param {Box} box
 * @param {Grip} grip
 * @param {number} dx
 * @param {number} dy
 * @param {Point} size of the frame
 * @returns {Box}
 */
export function dragged([x0, y0, x1, y1], grip, dx, dy, [width, height]) {
  if (grip === "move") {
    const x = clamp(dx, -x0, width - x1);
    const y = clamp(dy, -y0, height - y1);
    return [x0 + x, y0 + y, x1 + x, y1 + y];
  }
  return [
    grip.endsWith("w") ? clamp(x0 + dx, 0, x1 - SMALLEST) : x0,
    grip.startsWith("n") ? clamp(y0 + dy, 0, y1 - SMALLEST) : y0,
    grip.endsWith("e") ? clamp(x1 + dx, x0 + SMALLEST, width) : x1,
    grip.startsWith("s") ? clamp(y1 + dy, y0 + SMALLEST, height) : y1,
  ];
}

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The box after a key: arrows move it by a hundredth of the frame, with Shift they move its lower right corner, with
 * Alt the step is one pixel. Null for other keys.
 * @param {Box} box
 * @param {{ key: string, shiftKey: boolean, altKey: boolean }} event
 * @param {Point} size of the frame
 */
export function afterKey(box, { key, shiftKey, altKey }, size) {
  const way = ARROWS[key];
  if (!way) return null;
  const step = altKey ? 1 : Math.max(1, Math.round(Math.min(...size) / 100));
  return dragged(box, shiftKey ? "se" : "move", way[0] * step, way[1] * step, size);
}

/**
 * The box that "Add a box" makes: half as high as the frame, of a standing person's shape, in the middle.
 * @param {Point} size of the frame
 * @returns {Box}
 */
export function middle([width, height]) {
  const h = Math.max(SMALLEST, height / 2);
  const w = Math.min(width / 2, h * 0.45);
  return [(width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2];
}

/**
 * Area in common / area of both.
 * @param {Box} a
 * @param {Box} b
 */
export function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (/** @type {Box} */ box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}

/**
 * A box in words, for screen readers.
 * @param {Box} box
 */
export const boxText = ([x0, y0, x1, y1]) =>
  `left ${Math.round(x0)}, top ${Math.round(y0)}, ${Math.round(x1 - x0)} wide, ${Math.round(y1 - y0)} high`;
