// The pictures of a page whose frames are a film: VP9, in parts of a few frames that begin with a whole picture. A frame
// is found by its number: the n-th packet of a part is its n-th frame, and all of a part are decoded together.

/** @import { Blocks } from "./blocks.js" */
/** @import { Contents } from "./contents.d.ts" */

const KEPT = 3; // parts whose pictures stay decoded: of 8 frames of 720 lines, 30 MB each
const COLOURS = { primaries: "bt709", transfer: "iec61966-2-1", matrix: "bt709", fullRange: false }; // as pictures.py

/**
 * Decode a part.
 * @param {Uint8Array<ArrayBuffer>[]} packets
 * @param {string} codec
 * @returns {Promise<ImageBitmap[]>}
 */
async function decoded(packets, codec) {
  if (typeof VideoDecoder === "undefined") throw new Error("this browser cannot decode the page's film: use another");
  /** @type {Promise<ImageBitmap>[]} */
  const pictures = [];
  /** @type {DOMException | null} */
  let failure = null;
  const decoder = new VideoDecoder({
    output: (frame) => {
      pictures[frame.timestamp] = createImageBitmap(frame).finally(() => frame.close());
    },
    error: (error) => {
      failure = error;
    },
  });
  decoder.configure({ codec, optimizeForLatency: true, colorSpace: /** @type {VideoColorSpaceInit} */ (COLOURS) });
  packets.forEach((data, timestamp) => {
    decoder.decode(new EncodedVideoChunk({ type: timestamp ? "delta" : "key", timestamp, data }));
  });
  await decoder.flush();
  decoder.close();
  if (failure) throw failure;
  const all = await Promise.all(pictures);
  if (all.length !== packets.length) throw new Error(`expected ${packets.length} pictures, got ${all.length}`);
  return all;
}

export class Film {
  /**
   * @param {Pick<Contents, "pictures" | "chunk">} contents
   * @param {Blocks} blocks
   */
  constructor({ pictures, chunk }, blocks) {
    this.pictures = pictures;
    this.chunk = chunk;
    this.blocks = blocks;
    /** @type {Map<number, Promise<ImageBitmap[]>>} */
    this.parts = new Map();
  }

  /**
   * A frame's picture, for the caller to close.
   * @param {number} frame
   */
  async picture(frame) {
    const part = await this.part(Math.floor(frame / this.chunk));
    return createImageBitmap(part[frame % this.chunk]);
  }

  /** @param {number} number */
  part(number) {
    const known = this.parts.get(number) ?? this.read(number);
    this.parts.delete(number);
    this.parts.set(number, known); // the newest last
    if (this.parts.size > KEPT) this.parts.delete(/** @type {number} */ (this.parts.keys().next().value));
    return known;
  }

  /** @param {number} number */
  async read(number) {
    const { pictures } = await this.blocks.message(this.pictures.chunks[number]);
    return decoded(pictures, this.pictures.type);
  }
}
