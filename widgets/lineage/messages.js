// What Python sends to the lineage view.

import { unpack } from "../core/wire.js";

/**
 * The similarity of pairs of frames, with the path of the kernels and their drift; see `render_matrix` in lineage.py.
 * @typedef {object} Matrix
 * @property {string} joint whose effective kernels; "" for the whole ones
 * @property {boolean} centred whether the clip's mean kernel was subtracted
 * @property {string | null} other name of the clip of the rows, where it is another one
 * @property {[number, number]} range values that the colours span
 * @property {number[]} jumps frames with the largest drift
 * @property {number[]} shares of the variance, of the two axes of the path
 * @property {Float32Array} values (n, m) cosines
 * @property {Int32Array} rows (n,) frames of the rows
 * @property {Int32Array} columns (m,) frames of the columns
 * @property {Float32Array} drift (T,) from the frame before
 * @property {Float32Array} scores (k, 2) points of the path
 * @property {Int32Array} frames (k,) frames of the path
 */

/**
 * The channels that a joint relies on most; see `render_reliance` in lineage.py.
 * @typedef {object} Reliance
 * @property {string} joint
 * @property {boolean} complete whether all frames of the sample were computed
 * @property {number[]} channels strongest first
 * @property {Int32Array} frames (n,)
 * @property {Float32Array} shares (rows, n): one row per channel, and one for all others together
 */

/** @typedef {{ joint: string, done: number, of: number }} Progress frames computed so far, of how many */
/** @typedef {{ s: number, t: number, images: Blob[] }} Pictures of two frames */
/** @typedef {DataView[]} Buffers */

/**
 * @param {any} content
 * @param {Buffers} buffers
 * @returns {Matrix}
 */
export function readMatrix(content, [values, rows, columns, drift, scores, frames]) {
  return {
    ...content,
    values: unpack(values, Float32Array),
    rows: unpack(rows, Int32Array),
    columns: unpack(columns, Int32Array),
    drift: unpack(drift, Float32Array),
    scores: unpack(scores, Float32Array),
    frames: unpack(frames, Int32Array),
  };
}

/**
 * @param {any} content
 * @param {Buffers} buffers
 * @returns {Reliance}
 */
export function readReliance(content, [frames, shares]) {
  return { ...content, frames: unpack(frames, Int32Array), shares: unpack(shares, Float32Array) };
}

/**
 * @param {any} content
 * @param {Buffers} buffers
 * @returns {Pictures}
 */
export function readPictures({ s, t }, buffers) {
  return { s, t, images: buffers.map((jpeg) => new Blob([/** @type {any} */ (jpeg)], { type: "image/jpeg" })) };
}
