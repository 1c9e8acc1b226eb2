// The network's input: a square of a frame, resampled, as Crop.extract in dkd/pose/crops.py does it.

import { roundEven } from "./squares.js";

/** @import { Square } from "./squares.js" */

/** @typedef {{ data: Uint8ClampedArray | Uint8Array, width: number, height: number }} Picture RGBA, row by row */

const GREY = 128; // outside the frame

/**
 * Means over whole blocks of pixels, of the part of a picture that starts at x0, y0.
 * @param {Picture} picture
 * @param {[number, number, number, number]} part x0, y0, and the means' width and height
 * @param {number} block
 * @returns {Picture}
 */
function shrunk({ data, width }, [x0, y0, columns, rows], block) {
  const out = new Uint8Array(4 * columns * rows);
  const share = Math.fround(1 / (block * block));
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < block; dy++) {
          let at = 4 * ((y0 + y * block + dy) * width + x0 + x * block) + c;
          for (let dx = 0; dx < block; dx++, at += 4) sum += data[at];
        }
        out[4 * (y * columns + x) + c] = block === 2 ? (sum + 2) >> 2 : roundEven(Math.fround(sum * share));
      }
  return { data: out, width: columns, height: rows };
}

/**
 * A square much larger than `size` is first averaged over blocks: bilinear interpolation alone would alias.
 * @param {Picture} picture
 * @param {Square} square
 * @param {number} size
 * @returns {{ picture: Picture, left: number, top: number, scale: number }}
 */
function averaged(picture, [left, top, side], size) {
  const block = Math.trunc(side / size);
  const whole = { picture, left, top, scale: size / side };
  if (block < 2) return whole;
  const first = (/** @type {number} */ v) => Math.max(0, Math.floor(Math.trunc(v) / block) * block - block);
  const last = (/** @type {number} */ v, /** @type {number} */ end) => Math.min(end, Math.trunc(v + side) + 2 * block);
  const [x0, y0] = [first(left), first(top)];
  const [x1, y1] = [last(left, picture.width), last(top, picture.height)];
  if (x1 - x0 < block || y1 - y0 < block) return whole;
  const [columns, rows] = [Math.floor((x1 - x0) / block), Math.floor((y1 - y0) / block)];
  const small = shrunk(picture, [x0, y0, columns, rows], block);
  return { picture: small, left: (left - x0) / block, top: (top - y0) / block, scale: (size / side) * block };
}

/**
 * For each column or row of the input the source's first pixel and how far it lies beyond its middle. To the last bit as
 * OpenCV 5: it multiplies and adds along a row in one step, and across rows in two, all in single precision.
 * @param {number} size
 * @param {number} shift
 * @param {number} scale
 * @param {boolean} isRow whether rows are counted, else columns
 */
function places(size, shift, scale, isRow) {
  const { fround } = Math;
  const back = scale * (1 / (scale * scale));
  const [step, first] = [fround(back), fround(-back * ((0.5 - shift) * scale - 0.5))];
  return Array.from({ length: size }, (_, i) => {
    const at = fround((isRow ? fround(step * i) : step * i) + first);
    return /** @type {const} */ ([Math.floor(at), fround(at - Math.floor(at))]);
  });
}

/**
 * The square of a picture as the network's input: (3, size, size) in 0..1, rounded to 8 bits, grey outside the frame.
 * @param {Picture} picture
 * @param {Square} square
 * @param {number} size
 * @returns {Float32Array<ArrayBuffer>}
 */
export function extract(picture, square, size) {
  const { picture: source, left, top, scale } = averaged(picture, square, size);
  const { data, width, height } = source;
  const { fround } = Math;
  const out = new Float32Array(3 * size * size);
  const [columns, rows] = [places(size, left, scale, false), places(size, top, scale, true)];
  const value = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ c) =>
    x >= 0 && x < width && y >= 0 && y < height ? data[4 * (y * width + x) + c] : GREY;
  for (let row = 0; row < size; row++) {
    const [y, fy] = rows[row];
    for (let column = 0; column < size; column++) {
      const [x, fx] = columns[column];
      const isInside = x >= 0 && y >= 0 && x + 1 < width && y + 1 < height;
      const at = 4 * (y * width + x);
      const below = at + 4 * width;
      for (let c = 0; c < 3; c++) {
        const a = isInside ? data[at + c] : value(x, y, c);
        const b = isInside ? data[at + 4 + c] : value(x + 1, y, c);
        const d = isInside ? data[below + c] : value(x, y + 1, c);
        const e = isInside ? data[below + 4 + c] : value(x + 1, y + 1, c);
        const upper = fround(a + fround(fx * (b - a)));
        const lower = fround(d + fround(fx * (e - d)));
        out[(c * size + row) * size + column] = roundEven(fround(upper + fround(fy * fround(lower - upper)))) / 255;
      }
    }
  }
  return out;
}
