// Tensors as the anatomy shows them: their channels' values, ranges, and which channels matter most.

/** @import { Cell, Detail, Explanation, Header, Term } from "../core/types.d.ts" */

export const PICKS = 6; // channels of a tensor that are shown

/**
 * A tensor (C, H, W).
 *
 * @typedef {object} Tensor
 * @property {[number, number, number]} shape
 * @property {[number, number]} range the least and the largest value
 * @property {(channel: number) => Float32Array} values of one channel, row by row
 */

/**
 * A tensor whose values came as bytes, each channel over a range of its own.
 *
 * @typedef {Tensor & {
 *   at: (channel: number, cell: number) => number,
 *   rangeOf: (channel: number) => [number, number],
 * }} CodedTensor
 */

/**
 * All tensors of a frame, as they came from the kernel. Those of the distillator are missing where it does not run.
 *
 * @typedef {object} FrameTensors
 * @property {number} frame
 * @property {number[]} input the shape of the picture that the network saw: height, width, 3
 * @property {Record<string, string>} does what the layers of the distillator do, by name
 * @property {boolean} isHandedOn whether the matched kernels are those that the distillator makes of the frame before
 * @property {Blob} jpeg that picture
 * @property {Float32Array} maps of the frame (J, H, W)
 * @property {Float32Array} before: the maps of the frame before
 * @property {Int8Array} projection V (C, C), times the scale
 * @property {number} projectionScale
 * @property {Tensors} tensors
 */

/**
 * @typedef {{ features: CodedTensor, matched: CodedTensor }
 *   & Partial<Record<"before" | "conv1" | "conv2" | "conv3" | "bias", CodedTensor>>} Tensors
 */

/**
 * How the value of a cell is computed; the largest part first.
 *
 * @typedef {Omit<Explanation, "parts"> & { parts: Pick<Term, "channel" | "contribution">[] }} Explained
 */

/**
 * What all levels of the view show.
 *
 * @typedef {object} Scene
 * @property {Header} header
 * @property {Detail} detail
 * @property {FrameTensors} data
 * @property {Explained} explained
 * @property {Cell} cell
 * @property {number} frame as it is named: in a part of a video, its number there, as `previous` of the detail
 * @property {number} joint
 * @property {string} name of the joint
 * @property {number} channel that is followed through all levels
 * @property {number[]} shown the channels that matter most at the cell, and that one
 * @property {(channel: number) => number} readout the joint's weight of a channel
 */

/** @param {number} count */
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

/**
 * The largest magnitude; 1 where all values are 0, so that one can divide by it.
 *
 * @param {ArrayLike<number>} values
 */
export const largestOf = (values) => {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest || 1;
};

/**
 * The least and the largest value.
 *
 * @param {ArrayLike<number>} values
 * @returns {[number, number]}
 */
export function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
  return [low, high];
}

/**
 * A tensor out of bytes: byte b of a channel stands for low + (high − low) · b / 255.
 *
 * @param {[number, number, number]} shape
 * @param {Uint8Array} bytes
 * @param {Float32Array} ranges (C, 2): low and high of each channel
 * @returns {CodedTensor}
 */
export function decoded(shape, bytes, ranges) {
  const [channels, height, width] = shape;
  const area = height * width;
  /** @type {CodedTensor["rangeOf"]} */
  const ofChannel = (c) => [ranges[2 * c], ranges[2 * c + 1]];
  /** @type {CodedTensor["at"]} */
  const at = (c, cell) => ranges[2 * c] + ((ranges[2 * c + 1] - ranges[2 * c]) * bytes[c * area + cell]) / 255;
  const lows = upTo(channels).map((c) => ranges[2 * c]);
  const highs = upTo(channels).map((c) => ranges[2 * c + 1]);
  return {
    shape,
    range: [Math.min(...lows), Math.max(...highs)],
    at,
    rangeOf: ofChannel,
    values: (c) => Float32Array.from({ length: area }, (_, cell) => at(c, cell)),
  };
}

/**
 * A tensor of exact numbers.
 *
 * @param {Float32Array} numbers
 * @param {[number, number, number]} shape
 * @returns {Tensor}
 */
export function exact(numbers, shape) {
  const area = shape[1] * shape[2];
  return { shape, range: rangeOf(numbers), values: (c) => numbers.subarray(c * area, (c + 1) * area) };
}

/**
 * A tensor with each channel multiplied by its weight.
 *
 * @param {CodedTensor} tensor
 * @param {(channel: number) => number} weight
 * @returns {Tensor}
 */
export function weighted(tensor, weight) {
  const ends = upTo(tensor.shape[0]).flatMap((c) => tensor.rangeOf(c).map((v) => v * weight(c)));
  return {
    shape: tensor.shape,
    range: rangeOf(ends),
    values: (c) => tensor.values(c).map((v) => v * weight(c)),
  };
}

/**
 * The channels with the largest magnitude of value(channel), the largest first.
 *
 * @param {Tensor} tensor
 * @param {(channel: number) => number} value
 * @param {number} [count] how many
 */
export const strongest = (tensor, value, count = PICKS) =>
  upTo(tensor.shape[0])
    .map((channel) => ({ channel, size: Math.abs(value(channel)) }))
    .sort((a, b) => b.size - a.size)
    .slice(0, count)
    .map(({ channel }) => channel);

/** @type {WeakMap<Tensor, number[]>} */
const rankings = new WeakMap();

/**
 * The channels of the largest energy (sum of squares), the largest first. Ranked once per tensor.
 *
 * @param {Tensor} tensor
 * @param {number} [count] how many
 */
export function loudest(tensor, count = PICKS) {
  const energy = (/** @type {number} */ c) => tensor.values(c).reduce((sum, v) => sum + v * v, 0);
  const ranking = rankings.get(tensor) ?? strongest(tensor, energy, tensor.shape[0]);
  rankings.set(tensor, ranking);
  return ranking.slice(0, count);
}

/**
 * The channels that matter most at the cell, with the one that is followed among them.
 *
 * @param {Explained} explained
 * @param {number | null} chosen the channel that was picked; null: the one that contributes most
 */
export function followed({ parts }, chosen) {
  const channel = chosen ?? parts[0].channel;
  const shown = parts.slice(0, PICKS).map((part) => part.channel);
  if (!shown.includes(channel)) shown[shown.length - 1] = channel;
  return { channel, shown };
}
