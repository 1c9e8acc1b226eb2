// The search for one joint out of the message of a frame, and its numbers in words. Arithmetic only.

/** @import { Message } from "../core/types.d.ts" */

import { plain, readable } from "../core/text.js";
import { readMessage } from "../core/wire.js";

/**
 * What Python says of a frame, see `render_joint_kernels`: J joints.
 *
 * @typedef {object} Frame
 * @property {number} frame
 * @property {number} previous the frame from which the kernels were last updated
 * @property {number} side of a kernel, in cells
 * @property {number[]} opposite each joint's opposite, or −1
 * @property {Blob} jpeg what the network saw
 * @property {Blob} before what it saw in the frame `previous`
 * @property {Uint8Array} peaks (J, 2) cells x, y in that frame
 * @property {Float32Array} fast responses (J, H, W)
 * @property {Float32Array} slow
 * @property {Float32Array} matched maps (J, H, W) as the pooled kernels matched them
 * @property {Float32Array} maps as they became
 * @property {Float32Array} seen (J, 2)
 */

/**
 * @typedef {object} Search one joint's
 * @property {[number, number]} peak cell of the joint in the frame before
 * @property {Float32Array} fast
 * @property {Float32Array} slow
 * @property {Float32Array} matched
 * @property {Float32Array} map
 * @property {readonly [number, number]} seen
 */

/**
 * @param {Message} content
 * @param {DataView[]} buffers
 * @returns {Frame}
 */
export function readFrame(content, buffers) {
  const { jpeg, before, ...frame } = readMessage(content, buffers);
  const picture = (/** @type {BlobPart} */ bytes) => new Blob([bytes], { type: "image/jpeg" });
  return /** @type {Frame} */ ({ ...frame, jpeg: picture(jpeg), before: picture(before) });
}

/**
 * @param {Frame} frame
 * @param {number} joint
 * @param {readonly [number, number]} map width, height
 * @returns {Search}
 */
export function searchOf({ peaks, fast, slow, matched, maps, seen }, joint, [width, height]) {
  const of = (/** @type {Float32Array} */ all) => all.subarray(joint * width * height, (joint + 1) * width * height);
  return {
    peak: [peaks[2 * joint], peaks[2 * joint + 1]],
    fast: of(fast),
    slow: of(slow),
    matched: of(matched),
    map: of(maps),
    seen: [seen[2 * joint], seen[2 * joint + 1]],
  };
}

/**
 * The cell of the largest value: its index.
 *
 * @param {ArrayLike<number>} values
 */
export function best(values) {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[at]) at = i;
  return at;
}

/**
 * The numbers of a search: what is said, and the values of the fast and of the slow kernel.
 *
 * @param {Search} search
 * @param {{ name: string, search: Search } | null} opposite
 * @returns {{ what: string, values: [number, number] }[]}
 */
export function numbersOf({ fast, slow, map, seen }, opposite) {
  const peak = best(map);
  const numbers = [
    { what: "seen", values: seen },
    { what: "best response", values: [fast[best(fast)], slow[best(slow)]] },
    { what: "at the map’s peak", values: [fast[peak], slow[peak]] },
  ];
  if (opposite) {
    const { name, search } = opposite;
    numbers.push({ what: `${readable(name)}’s there`, values: [search.fast[peak], search.slow[peak]] });
  }
  return /** @type {{ what: string, values: [number, number] }[]} */ (numbers);
}

/** @param {[number, number]} values */
export const inWords = ([fast, slow]) => `${plain(fast, 2)} / ${plain(slow, 2)}`;

/**
 * Where the cells around a joint lie in the picture that the network saw: left, top and side in pixels.
 *
 * @param {[number, number]} peak
 * @param {number} side cells across
 * @param {readonly [number, number]} map
 * @param {number} size of the picture
 */
export function patchOf([x, y], side, [width], size) {
  const pixels = size / width;
  const reach = (side - 1) / 2;
  return { left: (x - reach) * pixels, top: (y - reach) * pixels, side: side * pixels };
}
