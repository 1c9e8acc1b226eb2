// The records that are held, within a budget of bytes.

import { framesToFetch, framesToForget } from "./fetching.js";

/** @import { FrameRecord } from "./types.d.ts" */
/** @import { Place } from "./fetching.js" */

const BUDGET = 192 * 2 ** 20; // bytes; 2 hours of small maps, or about 2000 pictures of 720 lines

/**
 * Frame → record.
 * @extends {Map<number, FrameRecord>}
 */
export class Records extends Map {
  constructor() {
    super();
    this.bytes = 0;
    this.budget = BUDGET;
  }

  /** @param {FrameRecord} record */
  hold(record) {
    this.drop(record.frame);
    this.bytes += record.bytes;
    this.set(record.frame, record);
  }

  /** @param {number} frame */
  drop(frame) {
    this.bytes -= this.get(frame)?.bytes ?? 0;
    this.delete(frame);
  }

  dropAll() {
    this.clear();
    this.bytes = 0;
  }

  /**
   * The frames of the next request.
   * @param {Place} place
   */
  missing(place) {
    const average = this.size ? this.bytes / this.size : 0;
    const room = average ? Math.floor((this.budget * 0.9) / average) : Number.POSITIVE_INFINITY;
    return framesToFetch(place, (frame) => this.has(frame), room);
  }

  /**
   * Drop what exceeds the budget.
   * @param {Place} place
   */
  forget(place) {
    for (const frame of framesToForget(place, this, this.bytes, this.budget)) this.drop(frame);
  }
}
