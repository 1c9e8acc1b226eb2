// Reads the messages that wire.py writes: JSON with buffers, whose parts say what each buffer is and where it belongs.

/** @import { Message, Numbers } from "./types.d.ts" */

/** @type {Record<string, { new (buffer: ArrayBuffer): Numbers, BYTES_PER_ELEMENT: number }>} */
export const TYPES = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bytes: Uint8Array,
};

/**
 * A message's buffer as a typed array. It is copied: the buffer lies at any offset, and would keep the whole message.
 * @template {Numbers} T
 * @param {DataView} view
 * @param {{ new (buffer: ArrayBuffer): T }} Type
 * @returns {T}
 */
export function unpack(view, Type) {
  return new Type(/** @type {ArrayBuffer} */ (view.buffer).slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/**
 * The content of a message with its arrays in their places, in C order and without their shapes.
 * @param {Message} content as it came; its nested parts are completed in place
 * @param {DataView[]} buffers
 * @returns {Message}
 */
export function readMessage(content, buffers) {
  const { parts = [], ...message } = content;
  if (parts.length !== buffers.length) throw new Error(`expected ${parts.length} buffers, got ${buffers.length}`);
  parts.forEach(([path, dtype, shape], i) => {
    const values = unpack(buffers[i], TYPES[dtype]);
    const count = shape.reduce((product, length) => product * length, 1);
    if (values.length !== count) throw new Error(`expected ${count} values of ${path.join(".")}, got ${values.length}`);
    const owner = path.slice(0, -1).reduce((place, step) => place[step], message);
    owner[path[path.length - 1]] = values;
  });
  return message;
}
