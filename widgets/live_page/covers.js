// Parts of the picture that the user has covered with grey or blurred: the network sees what the player shows.

/** @import { Cover } from "./types.d.ts" */
/** @import { Picture } from "./pixels.js" */

const GREY = 128;
const BLUR = 1 / 12; // standard deviation, as a share of the rectangle's larger side

/**
 * The covers that act on a frame.
 * @param {Cover[]} covers
 * @param {number} frame
 */
export const coversOf = (covers, frame) => covers.filter(({ from, to }) => frame >= from && frame <= to);

/**
 * Change the covered parts of a picture, in place.
 * @template {Picture} P
 * @param {P} picture
 * @param {Cover[]} covers
 * @returns {P}
 */
export function cover(picture, covers) {
  for (const { kind, box } of covers) {
    const [x0, y0] = [0, 1].map((k) => Math.max(0, Math.round(box[k])));
    const x1 = Math.min(picture.width, Math.round(box[2]));
    const y1 = Math.min(picture.height, Math.round(box[3]));
    if (x1 <= x0 || y1 <= y0) continue;
    if (kind === "cover") fill(picture, x0, y0, x1, y1);
    else blur(picture, x0, y0, x1, y1);
  }
  return picture;
}

/** @type {(picture: Picture, x0: number, y0: number, x1: number, y1: number) => void} */
function fill({ data, width }, x0, y0, x1, y1) {
  for (let y = y0; y < y1; y++)
    for (let x = x0; x < x1; x++) for (let c = 0; c < 3; c++) data[4 * (y * width + x) + c] = GREY;
}

/**
 * A Gaussian blur of a part; what is outside it does not flow in.
 * @type {(picture: Picture, x0: number, y0: number, x1: number, y1: number) => void}
 */
function blur({ data, width }, x0, y0, x1, y1) {
  const sigma = Math.max(1, BLUR * Math.max(x1 - x0, y1 - y0));
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: reach + 1 }, (_, d) => Math.exp(-0.5 * (d / sigma) ** 2));
  const total = weights.reduce((sum, weight, d) => sum + (d ? 2 * weight : weight), 0);
  const along = (/** @type {number} */ first, /** @type {number} */ step, /** @type {number} */ count) => {
    const line = Float64Array.from({ length: count }, (_, i) => data[first + i * step]);
    const at = (/** @type {number} */ i) => line[Math.max(0, Math.min(count - 1, i))];
    for (let i = 0; i < count; i++) {
      let sum = weights[0] * line[i];
      for (let d = 1; d <= reach; d++) sum += weights[d] * (at(i - d) + at(i + d));
      data[first + i * step] = Math.round(sum / total);
    }
  };
  for (let c = 0; c < 3; c++) {
    for (let y = y0; y < y1; y++) along(4 * (y * width + x0) + c, 4, x1 - x0);
    for (let x = x0; x < x1; x++) along(4 * (y0 * width + x) + c, 4 * width, y1 - y0);
  }
}
