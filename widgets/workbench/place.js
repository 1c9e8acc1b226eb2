// Where a frame lies on a canvas, and the way between the two: pixels of the frame and CSS pixels of the canvas.

import { clamp } from "../core/text.js";

/** @import { Point } from "../core/drawing.js" */

/**
 * `scale` CSS pixels per pixel of the frame, and the frame's corner on the canvas.
 * @typedef {{ scale: number, left: number, top: number }} Place
 */
/**
 * How much larger than the whole frame, and the point of the frame, in its pixels, that lies in the middle.
 * @typedef {{ factor: number, x: number, y: number }} Zoom
 */

/** @type {Zoom} */
export const WHOLE = { factor: 1, x: 0, y: 0 };
const LARGEST = 12; // times the whole frame

/**
 * The picture is never further from the canvas's edge than it must be.
 * @param {Point} canvas width and height in CSS pixels
 * @param {Point} frame width and height in pixels
 * @param {Zoom} zoom
 * @returns {Place}
 */
export function placed(canvas, frame, zoom = WHOLE) {
  const scale = Math.min(canvas[0] / frame[0], canvas[1] / frame[1]) * zoom.factor;
  const corner = (/** @type {0 | 1} */ k, /** @type {number} */ middle) => {
    const room = canvas[k] - frame[k] * scale;
    return room >= 0 ? room / 2 : clamp(canvas[k] / 2 - middle * scale, room, 0);
  };
  return { scale, left: corner(0, zoom.x), top: corner(1, zoom.y) };
}

/**
 * A point of the canvas as coordinates of the frame: pixel indices, so that the middle of the first pixel is 0.
 * @param {Place} place
 * @param {Point} point
 * @returns {Point}
 */
export const toFrame = ({ scale, left, top }, [x, y]) => [(x - left) / scale - 0.5, (y - top) / scale - 0.5];

/**
 * @param {Place} place
 * @param {Point} point in pixels of the frame
 * @returns {Point}
 */
export const toCanvas = ({ scale, left, top }, [x, y]) => [left + (x + 0.5) * scale, top + (y + 0.5) * scale];

/**
 * Zoom by a factor; the point of the frame under the pointer stays there.
 * @param {Zoom} zoom
 * @param {Point} canvas
 * @param {Point} frame
 * @param {Point} pointer on the canvas
 * @param {number} by
 * @returns {Zoom}
 */
export function zoomedAt(zoom, canvas, frame, pointer, by) {
  const before = placed(canvas, frame, zoom);
  const factor = clamp(zoom.factor * by, 1, LARGEST);
  const scale = (before.scale / zoom.factor) * factor;
  const middle = (/** @type {0 | 1} */ k, /** @type {number} */ corner) => {
    const under = (pointer[k] - corner) / before.scale;
    return under + (canvas[k] / 2 - pointer[k]) / scale;
  };
  return { factor, x: middle(0, before.left), y: middle(1, before.top) };
}

/**
 * The joint that is nearest to a point of the canvas, and how far it is in CSS pixels; joint −1 where there is none.
 * @param {ArrayLike<number>} points x, y of each joint, in pixels of the frame
 * @param {Place} place
 * @param {Point} at
 */
export function nearestJoint(points, place, at) {
  let [joint, distance] = [-1, Number.POSITIVE_INFINITY];
  for (let j = 0; j < points.length / 2; j++) {
    const [x, y] = toCanvas(place, [points[2 * j], points[2 * j + 1]]);
    const away = Math.hypot(x - at[0], y - at[1]);
    if (away < distance) [joint, distance] = [j, away];
  }
  return { joint, distance };
}
