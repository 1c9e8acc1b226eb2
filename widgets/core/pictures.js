// Decoded pictures near the cursor: scrubbing finds them ready.

import { around } from "./fetching.js";

/** @import { FrameRecord } from "./types.d.ts" */
/** @import { Place } from "./fetching.js" */

const BUDGET = 192 * 2 ** 20; // bytes of decoded pictures, 4 per pixel: 160 of 640 × 480
const DECODERS = 2; // pictures that are decoded ahead of need at a time

export class Pictures {
  /**
   * @param {object} given
   * @param {(frame: number) => FrameRecord | undefined} given.record
   * @param {(frame: number, isAhead: boolean) => void} given.ready a picture is decoded, or was of a dropped record
   * @param {(text: string) => void} given.failed
   * @param {() => void} given.rest a decoder is free
   */
  constructor({ record, ready, failed, rest }) {
    this.record = record;
    this.ready = ready;
    this.failed = failed;
    this.rest = rest;
    /** @type {Map<number, ImageBitmap>} */
    this.bitmaps = new Map();
    /** @type {Set<number>} */
    this.decoding = new Set();
  }

  clear() {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps = new Map();
    this.decoding = new Set(); // what is decoded still is of the trace before
  }

  /** @param {number} frame */
  drop(frame) {
    this.bitmaps.get(frame)?.close();
    this.bitmaps.delete(frame);
  }

  /**
   * Start decoding a frame's picture, if its record is here.
   * @param {number} frame
   * @returns {boolean} whether the frame cannot be painted yet
   */
  decode(frame, isAhead = false) {
    if (this.bitmaps.has(frame)) return false;
    const record = this.record(frame);
    if (!record || this.decoding.has(frame)) return true;
    const { decoding } = this;
    decoding.add(frame);
    const still = () => createImageBitmap(new Blob([record.jpeg], { type: record.picture_type ?? "image/jpeg" }));
    (record.picture?.() ?? still())
      .then((bitmap) => {
        decoding.delete(frame); // before ready(): a record that was replaced meanwhile is decoded again at once
        if (this.record(frame) === record) this.bitmaps.set(frame, bitmap);
        else bitmap.close(); // of a record that was dropped or replaced meanwhile
        this.ready(frame, isAhead);
      })
      .catch((error) => {
        decoding.delete(frame);
        this.failed(`The picture of frame ${frame} cannot be decoded: ${error.message}`);
      })
      .finally(() => {
        if (decoding === this.decoding) this.rest();
      });
    return true;
  }

  /**
   * Keep the pictures nearest to the cursor decoded, as many as the budget allows.
   * @param {Place} place
   * @param {[number, number]} size of a picture
   */
  decodeAround(place, [width, height]) {
    const room = Math.max(8, Math.floor(BUDGET / (4 * width * height)));
    const distance = (/** @type {number} */ frame) => Math.abs(frame - place.here);
    const held = [...this.bitmaps.keys()].sort((a, b) => distance(b) - distance(a));
    for (const frame of held.slice(0, Math.max(0, held.length - room))) this.drop(frame);
    for (const frame of around(place, room)) {
      if (this.decoding.size >= DECODERS) return;
      this.decode(frame, true);
    }
  }
}
