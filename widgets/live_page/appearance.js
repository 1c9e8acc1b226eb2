// How a tracked person looks: colours at places on the body, as dkd/tracking/appearance.py measures and compares them.
// This runs in the worker.

import { roundEven } from "./squares.js";

/** @import { Values } from "./network.js" */

/** @typedef {[joint: number, weight: number][]} Place a mixture of joints */

const PATCH = 0.02; // half a side of a place's patch, as a share of the input's side
const LIGHT = 0.5; // weight of lightness beside the two axes of colour
const STRANGE = 10; // difference of colours above which it is somebody else
const ADAPTS_S = 1; // seconds over which the remembered colours adapt
const MEAN = 110; // grey level to which the input's brightness is brought
const DOWN = [0.25, 0.6, 0.9];
const ACROSS = [0.25, 0.75];
const MIDDLES = [
  ["hip", "knee"],
  ["knee", "ankle"],
  ["shoulder", "elbow"],
];

/**
 * The middle of values, which are sorted in place.
 * @param {number[]} values
 */
export function median(values) {
  values.sort((a, b) => a - b);
  return (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2;
}

/**
 * Places on the body; without a joint of one, it is left out.
 * @param {string[]} names of the joints
 * @returns {Place[]}
 */
export function placesOf(names) {
  /** @type {[string, number][][]} */
  const rows = [];
  for (const down of DOWN)
    for (const across of ACROSS)
      rows.push([
        ["left_shoulder", (1 - down) * (1 - across)],
        ["right_shoulder", (1 - down) * across],
        ["left_hip", down * (1 - across)],
        ["right_hip", down * across],
      ]);
  for (const side of ["left", "right"])
    for (const ends of MIDDLES) rows.push(ends.map((end) => /** @type {const} */ ([`${side}_${end}`, 0.5])));
  rows.push([["head", 1]]);
  return rows
    .filter((row) => row.every(([name]) => names.includes(name)))
    .map((row) => row.map(([name, weight]) => [names.indexOf(name), weight]));
}

/**
 * Red, green and blue in 0..1 (sRGB) as CIE Lab of the white point D65.
 * @param {number[]} rgb
 */
export function labOf(rgb) {
  const [r, g, b] = rgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const x = (0.412453 * r + 0.35758 * g + 0.180423 * b) / 0.950456;
  const y = 0.212671 * r + 0.71516 * g + 0.072169 * b;
  const z = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754;
  const bent = (/** @type {number} */ t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const light = y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
  return [light, 500 * (bent(x) - bent(y)), 200 * (bent(y) - bent(z))];
}

/**
 * The colours of places in the network's input, relative to its brightness: L (weighted), a and b of each, NaN outside.
 * @param {Values} input (3, N, N) in 0..1
 * @param {ArrayLike<number>} grid x and y of each joint, in pixels of the input
 * @param {Place[]} places
 * @returns {number[]}
 */
export function lookAt(input, grid, places) {
  const size = Math.sqrt(input.length / 3);
  const radius = Math.max(1, roundEven(PATCH * size));
  let total = 0;
  for (const value of input) total += Math.round(255 * value);
  const gain = Math.fround(MEAN / Math.max(total / input.length, 1) / 255);
  const inside = (/** @type {number} */ v) => v > -0.5 && v < size - 0.5;
  return places.flatMap((place) => {
    const [x, y] = [0, 1].map((k) => place.reduce((sum, [joint, weight]) => sum + weight * grid[2 * joint + k], 0));
    if (!inside(x) || !inside(y)) return [Number.NaN, Number.NaN, Number.NaN];
    const colour = meanAround(input, size, [roundEven(x), roundEven(y)], radius);
    const [light, a, b] = labOf(colour.map((value) => Math.min(1, Math.fround(Math.fround(value) * gain))));
    return [light * LIGHT, a, b];
  });
}

/** @type {(input: Values, size: number, at: number[], radius: number) => number[]} */
function meanAround(input, size, [x, y], radius) {
  const [left, right] = [Math.max(0, x - radius), Math.min(size - 1, x + radius)];
  const [top, bottom] = [Math.max(0, y - radius), Math.min(size - 1, y + radius)];
  const count = (right - left + 1) * (bottom - top + 1);
  return [0, 1, 2].map((c) => {
    let sum = 0;
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++)
        sum += Math.round(255 * input[(c * size + row) * size + column]);
    return sum / count;
  });
}

export class Appearance {
  /** @param {number[] | null} colours as of lookAt @param {number} looks how many were remembered */
  constructor(colours = null, looks = 0) {
    this.colours = colours;
    this.looks = looks;
  }

  /**
   * The middle difference of colour over the places seen in both; 0 if they share less than half.
   * @param {number[]} look
   */
  difference(look) {
    const { colours } = this;
    if (!colours) return 0;
    const apart = Array.from({ length: look.length / 3 }, (_, p) =>
      Math.hypot(...[0, 1, 2].map((k) => look[3 * p + k] - colours[3 * p + k])),
    );
    const known = apart.filter(Number.isFinite);
    return known.length && known.length * 2 >= apart.length ? median(known) : 0;
  }

  /**
   * Whether this is probably somebody else.
   * @param {number[]} look
   */
  isOther(look) {
    return this.difference(look) > STRANGE;
  }

  /**
   * Adapt to a look of the person, so many seconds after the last one; the first looks are averaged.
   * @param {number[]} look
   * @param {number} seconds
   * @returns {Appearance}
   */
  remembering(look, seconds) {
    const { colours } = this;
    const looks = this.looks + 1;
    if (!colours) return new Appearance(look, looks);
    const share = Math.max(1 - Math.exp(-seconds / ADAPTS_S), 1 / looks);
    const mixed = look.map((value, i) => {
      if (!Number.isFinite(value)) return colours[i];
      return Number.isFinite(colours[i]) ? colours[i] + share * (value - colours[i]) : value;
    });
    return new Appearance(mixed, looks);
  }
}
