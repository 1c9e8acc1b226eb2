// Reads the blocks of a page: messages as packing.py has compressed them.

import { readMessage, TYPES } from "../core/wire.js";

/** @import { Message, Part } from "../core/types.d.ts" */

const FOLLOWING = ["maps", "kernels"]; // as in cutting.py
const KEPT = 24; // blocks that stay unpacked: what is asked for next is mostly in one of them

/**
 * The message in a block, with its arrays in their places.
 * @param {Uint8Array<ArrayBuffer>} block
 * @returns {Promise<Message>}
 */
export async function readBlock(block) {
  const stream = new Blob([block]).stream().pipeThrough(new DecompressionStream("deflate"));
  const raw = await new Response(stream).arrayBuffer();
  const length = new DataView(raw).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(raw, 4, length)));
  let at = 4 + length;
  const buffers = content.parts.map((/** @type {Part} */ [, dtype, shape]) => {
    const size = shape.reduce((product, side) => product * side, TYPES[dtype].BYTES_PER_ELEMENT);
    at += size;
    return new DataView(raw, at - size, size);
  });
  const message = readMessage(content, buffers);
  addUp(message.records ?? []);
  return message;
}

/**
 * Maps and kernels are stored as differences from the record before, modulo 256, where they have the same length.
 * @param {Message[]} records
 */
function addUp(records) {
  records.slice(1).forEach((record, i) => {
    for (const name of FOLLOWING) {
      const [values, before] = [record[name], records[i][name]];
      if (values?.length === before?.length) for (let k = 0; k < values.length; k++) values[k] += before[k];
    }
  });
}

export class Blocks {
  /** @param {(id: number) => Uint8Array<ArrayBuffer>} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    /** @type {Map<number, Promise<Message>>} */
    this.read = new Map();
  }

  /**
   * The message of a block; it is shared, so nobody changes it.
   * @param {number} id
   * @returns {Promise<Message>}
   */
  message(id) {
    const known = this.read.get(id) ?? readBlock(this.bytes(id));
    this.read.delete(id);
    this.read.set(id, known); // the newest last
    if (this.read.size > KEPT) this.read.delete(/** @type {number} */ (this.read.keys().next().value));
    return known;
  }
}
