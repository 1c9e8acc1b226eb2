// Where a frame lies on a canvas, and the way between the two: pixels of the frame and CSS pixels of the canvas.

import { clamp } from "../core/text.js";

/** @import { Point } from "../core/drawing.js" */

/**
 * `scale` CSS pixels per row of the frame, `scale · stretch` per column, and the frame's corner on the canvas. The
 * stretch is 1 unless the pixels of the video are not square.
 * @typedef {{ scale: number, stretch?: number, left: number, top: number }} Place
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
 * @param {number} stretch width / height of a pixel of the frame
 * @returns {Place & { stretch: number }}
 */
export function placed(canvas, frame, zoom = WHOLE, stretch = 1) {
  const scale = Math.min(canvas[0] / (frame[0] * stretch), canvas[1] / frame[1]) * zoom.factor;
  const corner = (/** @type {0 | 1} */ k, /** @type {number} */ middle) => {
    const size = k ? scale : scale * stretch;
    const room = canvas[k] - frame[k] * size;
    return room >= 0 ? room / 2 : clamp(canvas[k] / 2 - middle * size, room, 0);
  };
  return { scale, stretch, left: corner(0, zoom.x), top: corner(1, zoom.y) };
}

/**
 * A point of the canvas as coordinates of the frame: pixel indices, so that the middle of the first pixel is 0.
 * @param {Place} place
 * @param {Point} point
 * @returns {Point}
 */
export const toFrame = ({ scale, stretch = 1, left, top }, [x, y]) => [
  (x - left) / (scale * stretch) - 0.5,
  (y - top) / scale - 0.5,
];

/**
 * @param {Place} place
 * @param {Point} point in pixels of the frame
 * @returns {Point}
 */
export const toCanvas = ({ scale, stretch = 1, left, top }, [x, y]) => [
  left + (x + 0.5) * scale * stretch,
  top + (y + 0.5) * scale,
];

/**
 * Zoom by a factor; the point of the frame under the pointer stays there.
 * @param {Zoom} zoom
 * @param {Point} canvas
 * @param {Point} frame
 * @param {Point} pointer on the canvas
 * @param {number} by
 * @param {number} stretch width / height of a pixel of the frame
 * @returns {Zoom}
 */
export function zoomedAt(zoom, canvas, frame, pointer, by, stretch = 1) {
  const before = placed(canvas, frame, zoom, stretch);
  const factor = clamp(zoom.factor * by, 1, LARGEST);
  const middle = (/** @type {0 | 1} */ k, /** @type {number} */ corner) => {
    const size = k ? before.scale : before.scale * stretch;
    const under = (pointer[k] - corner) / size;
    return under + (canvas[k] / 2 - pointer[k]) / ((size / zoom.factor) * factor);
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
