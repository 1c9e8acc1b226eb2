// The message with a frame's tensors, see `render_anatomy` in Python.

/** @import { FrameTensors } from "./tensors.js" */

import { unpack } from "../core/wire.js";
import { decoded } from "./tensors.js";

/**
 * @param {any} content
 * @param {DataView[]} buffers
 * @returns {FrameTensors}
 */
export function readAnatomy(content, buffers) {
  const [jpeg, maps, before, projection, ...rest] = buffers;
  const tensors = content.tensors.map(({ name, shape }, i) => [
    name,
    decoded(shape, unpack(rest[2 * i], Uint8Array), unpack(rest[2 * i + 1], Float32Array)),
  ]);
  return {
    frame: content.frame,
    input: content.input,
    does: content.does,
    isHandedOn: content.handed_on,
    jpeg: new Blob([jpeg], { type: "image/jpeg" }),
    maps: unpack(maps, Float32Array),
    before: unpack(before, Float32Array),
    projection: unpack(projection, Int8Array),
    projectionScale: content.projection_scale,
    tensors: Object.fromEntries(tensors),
  };
}
