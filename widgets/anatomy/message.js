// The message with a frame's tensors, see `render_anatomy` in Python.

/** @import { Message } from "../core/types.d.ts" */
/** @import { FrameTensors, Tensors } from "./tensors.js" */

import { readMessage } from "../core/wire.js";
import { decoded } from "./tensors.js";

/**
 * A tensor as it is sent: bytes, and the range of each channel.
 *
 * @typedef {object} Coded
 * @property {[number, number, number]} shape
 * @property {Uint8Array<ArrayBuffer>} values
 * @property {Float32Array<ArrayBuffer>} ranges
 */

/**
 * @param {Message} content
 * @param {DataView[]} buffers
 * @returns {FrameTensors}
 */
export function readAnatomy(content, buffers) {
  const { frame, input, does, maps, before, projection, ...message } = readMessage(content, buffers);
  /** @type {[string, Coded][]} */
  const coded = Object.entries(message.tensors);
  const tensors = coded.map(([name, { shape, values, ranges }]) => [name, decoded(shape, values, ranges)]);
  return {
    ...{ frame, input, does, maps, before, projection },
    projectionScale: message.projection_scale,
    isHandedOn: message.handed_on,
    jpeg: new Blob([message.jpeg], { type: "image/jpeg" }),
    tensors: /** @type {Tensors} */ (Object.fromEntries(tensors)),
  };
}
