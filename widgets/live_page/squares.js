// The network's square and how it follows the joints, as dkd/pose/crops.py and dkd/tracking/squares.py have it.

const BOX_MARGIN = 1.25; // side of the square / side of a box around the whole person
export const JOINTS_MARGIN = 1.4; // and / extent of the joints
export const CONFIDENT = 0.15; // joints with lower peaks do not count
const [CENTRE_INERTIA, SIDE_INERTIA] = [0.3, 0.8]; // share of the old square in the next one
const [SMALLEST, LARGEST] = [32, 3]; // side: in pixels, and relative to the larger side of the frame
const STEPS = 4; // per pixel

/** @typedef {readonly [number, number, number]} Square left, top and side in continuous pixels of the frame */
/** @typedef {readonly [number, number, number, number]} Box x0, y0, x1, y1 in pixels */
/** @typedef {ArrayLike<number>} Joints x and y of each */

/**
 * To the nearest whole number; halves go to the even one, as in Python.
 * @param {number} value
 */
export const roundEven = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** @param {Square} square @returns {Square} */
export const rounded = ([left, top, side]) => [
  roundEven(left * STEPS) / STEPS,
  roundEven(top * STEPS) / STEPS,
  roundEven(side * STEPS) / STEPS,
];

/**
 * The square around a box, not stretched.
 * @param {Box} box
 * @param {number} margin
 * @returns {Square}
 */
export function squareAround([x0, y0, x1, y1], margin = BOX_MARGIN) {
  const side = margin * Math.max(x1 - x0, y1 - y0);
  return [(x0 + x1 - side) / 2, (y0 + y1 - side) / 2, side];
}

/**
 * The box around some joints; null for fewer than two.
 * @param {Joints} joints
 * @param {(joint: number) => boolean} counts
 * @returns {Box | null}
 */
export function boxAround(joints, counts) {
  /** @type {number[]} */
  const xs = [];
  /** @type {number[]} */
  const ys = [];
  for (let j = 0; j < joints.length / 2; j++) {
    if (!counts(j) || !Number.isFinite(joints[2 * j])) continue;
    xs.push(joints[2 * j]);
    ys.push(joints[2 * j + 1]);
  }
  return xs.length < 2 ? null : [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/**
 * The centre and the side of the square between the old one and the one around a box.
 * @param {Square} old
 * @param {Box} box
 * @param {number} margin
 * @param {[number, number]} size of the frame
 */
export function withInertia(old, box, margin, size) {
  const next = squareAround(box, margin);
  const side = SIDE_INERTIA * old[2] + (1 - SIDE_INERTIA) * next[2];
  const [x, y] = [0, 1].map(
    (k) => CENTRE_INERTIA * (old[k] + old[2] / 2) + (1 - CENTRE_INERTIA) * (next[k] + next[2] / 2),
  );
  return { x, y, side: Math.min(Math.max(side, SMALLEST), LARGEST * Math.max(...size)) };
}

/**
 * The square around a box as withInertia makes it, with a limited size and a limited way to go.
 * @param {Square} old
 * @param {Box} box
 * @param {{ margin: number, reach: number, largest: number }} limits largest distance of the centres and side, in pixels
 * @param {[number, number]} size of the frame
 * @returns {Square}
 */
export function boundedSquare(old, box, { margin, reach, largest }, size) {
  const next = withInertia(old, box, margin, size);
  const side = Math.max(Math.min(next.side, largest), SMALLEST);
  const [x, y] = [old[0] + old[2] / 2, old[1] + old[2] / 2];
  const far = Math.hypot(next.x - x, next.y - y);
  const share = Math.max(1, far / reach);
  const [cx, cy] = [x + (next.x - x) / share, y + (next.y - y) / share];
  return rounded([cx - side / 2, cy - side / 2, side]);
}

/**
 * Pixels of the frame as pixels of a grid over the square; the inverse of toFrame.
 * @param {Square} square
 * @param {ArrayLike<number>} points x and y of each
 * @param {number} size pixels along a side
 */
export const toGrid = ([left, top, side], points, size) =>
  Array.from(points, (value, i) => (value + 0.5 - (i % 2 ? top : left)) * (size / side) - 0.5);

/**
 * Cells of a map over the square as pixels of the frame.
 * @param {Square} square
 * @param {ArrayLike<number>} cells x and y of each
 * @param {number} size cells along a side
 */
export const toFrame = ([left, top, side], cells, size) =>
  Float64Array.from(cells, (value, i) => ((value + 0.5) * side) / size + (i % 2 ? top : left) - 0.5);
