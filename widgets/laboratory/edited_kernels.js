// The kernels that are matched in the shown frame, the edits that were not applied yet, and the map that follows.

/** @import { Detail, Header } from "../core/types.d.ts" */
/** @import { KernelEdit, MatchHeader } from "./kernel_edits.js" */

import { kernelOf } from "../core/arithmetic.js";
import { editKernels, matchedMap, updateMap } from "./kernel_edits.js";

/**
 * What is shown: kernels with the edits, and the joint's map that they give.
 *
 * @typedef {object} Shown
 * @property {MatchHeader} header
 * @property {Detail} detail
 * @property {number} joint
 * @property {Float32Array<ArrayBuffer>} kernels
 * @property {Float64Array} map
 */

/** Edits are kept per frame, so that they are still there when the cursor comes back. */
export class EditedKernels {
  constructor() {
    /** @type {Map<number, KernelEdit[]>} */
    this.pending = new Map();
    /** @type {Shown | null} */
    this.now = null;
    this.version = 0; // counts changes of the map
  }

  /**
   * Show the kernels of a frame for a joint. Nothing is computed again while frame, joint and run stay the same.
   *
   * @param {MatchHeader & Pick<Header, "initial">} header
   * @param {Detail | null} detail the exact numbers that have arrived, of any frame
   * @param {number} frame
   * @param {number} joint
   */
  show(header, detail, frame, joint) {
    if (!detail || detail.frame !== frame || header.initial.has(frame)) this.now = null;
    else if (this.now?.detail !== detail || this.now.joint !== joint || this.now.header !== header) {
      const edits = this.pending.get(frame) ?? [];
      const kernels = edits.reduce((all, one) => editKernels(all, header.kernel, one), detail.kernels);
      this.now = { detail, joint, header, kernels, map: matchedMap(header, detail, kernels, joint) };
    }
    return this.now;
  }

  /** Forget all edits: those of another run say nothing about this one. */
  forget() {
    this.pending.clear();
    this.now = null;
  }

  /** The edits of the shown frame, oldest first. */
  edits() {
    return (this.now && this.pending.get(this.now.detail.frame)) ?? [];
  }

  /** The joint's map with the edits; null where there are none. */
  preview() {
    return this.now && this.edits().length ? this.now.map : null;
  }

  /**
   * A channel's kernel with the edits.
   *
   * @param {number} channel
   */
  kernel(channel) {
    return this.now ? kernelOf(this.now.kernels, this.now.header.kernel, channel) : new Float32Array();
  }

  /**
   * A channel's kernel without the edits.
   *
   * @param {number} channel
   */
  original(channel) {
    return this.now ? kernelOf(this.now.detail.kernels, this.now.header.kernel, channel) : new Float32Array();
  }

  /**
   * Add an edit to those of the shown frame.
   *
   * @param {KernelEdit} edit
   */
  edit(edit) {
    if (!this.now) return;
    this.#replace([...this.edits(), edit], editKernels(this.now.kernels, this.now.header.kernel, edit));
  }

  /**
   * Give a cell of a kernel a value. What is painted on one kernel is one edit, however many cells it has.
   *
   * @param {number} channel
   * @param {readonly [number, number]} cell x, y
   * @param {number} value
   * @returns {boolean} whether anything changed
   */
  paint(channel, [x, y], value) {
    if (!this.now) return false;
    const cell = y * this.now.header.kernel + x;
    const values = Array.from(this.kernel(channel));
    if (values[cell] === Math.fround(value)) return false;
    values[cell] = Math.fround(value);
    const edits = this.edits();
    const last = edits.at(-1);
    const goesOn = last?.operation === "paint" && last.channels[0] === channel;
    /** @type {KernelEdit} */
    const stroke = { operation: "paint", channels: [channel], values };
    const kernels = editKernels(this.now.kernels, this.now.header.kernel, stroke);
    this.#replace([...(goesOn ? edits.slice(0, -1) : edits), stroke], kernels);
    return true;
  }

  /** Drop the edits of the shown frame. */
  reset() {
    if (this.now) this.#replace([], this.now.detail.kernels.slice());
  }

  /** The edits of the shown frame as calls of the trace's method `edit_kernel`. */
  steps() {
    if (!this.now) return [];
    const { previous } = this.now.detail;
    const side = this.now.header.kernel;
    return this.edits().map(({ operation, channels, amount, values }) => ({
      name: "edit_kernel",
      arguments: {
        frames: previous, // they were distilled from it
        operation,
        channels,
        ...(amount && { amount }),
        ...(values && { values: Array.from({ length: side }, (_, y) => values.slice(y * side, (y + 1) * side)) }),
      },
    }));
  }

  /**
   * @param {KernelEdit[]} edits
   * @param {Float32Array<ArrayBuffer>} kernels
   */
  #replace(edits, kernels) {
    if (!this.now) return;
    const { header, detail, joint, map } = this.now;
    if (edits.length) this.pending.set(detail.frame, edits);
    else this.pending.delete(detail.frame);
    updateMap(map, header, detail, this.now.kernels, kernels, joint);
    this.now.kernels = kernels;
    this.version += 1;
  }
}
