// What the views show and what is selected in it, with its arithmetic.

import { explainCell } from "./arithmetic.js";

/** @import { Cell, Detail, Explanation, FrameRecord, Header } from "./types.d.ts" */
/** @import { CursorState } from "./cursor.js" */

export class Selection {
  /** @type {CursorState | null} */
  attached = null;
  /** @type {Header | null} */
  known = null;
  /** @type {FrameRecord | null} */
  shown = null; // the record that all views have painted
  /** @type {[number, number] | null} */
  pointer = null; // the map cell under the pointer
  /** @type {(Explanation & { key: string }) | null} */
  explained = null;

  forgetSelection() {
    this.known = this.shown = this.pointer = this.explained = null;
  }

  /** What is known of the whole clip; null until Python has sent it. */
  get header() {
    return /** @type {Header} */ (this.known);
  }

  get cursor() {
    return /** @type {CursorState} */ (this.attached);
  }

  /**
   * The exact matching input of one frame.
   * @returns {Detail | null}
   */
  get detail() {
    return null;
  }

  /** @param {CursorState} cursor */
  follow(cursor) {
    this.attached = cursor;
  }

  /** @param {Header} header */
  know(header) {
    this.known = header;
  }

  /** @param {FrameRecord | null} record */
  show(record) {
    this.shown = record;
  }

  schedule() {}

  /** Index of the selected joint. */
  joint() {
    return Math.max(0, this.header.joints.indexOf(this.cursor.get("joint")));
  }

  /**
   * The cell that is explained, and why it is that one.
   * @returns {Cell}
   */
  cell() {
    const pinned = this.cursor.get("cell");
    const [width, height] = this.header.map;
    if (this.pointer) return { x: this.pointer[0], y: this.pointer[1], why: "pointer" };
    if (pinned) return { x: Math.min(pinned[0], width - 1), y: Math.min(pinned[1], height - 1), why: "pinned" };
    const { peaks } = /** @type {FrameRecord} */ (this.shown);
    const j = this.joint();
    return { x: peaks[2 * j], y: peaks[2 * j + 1], why: "peak" };
  }

  /** @param {[number, number] | null} cell the one under the pointer */
  point(cell) {
    if (String(cell) === String(this.pointer)) return;
    this.pointer = cell;
    this.schedule();
  }

  /**
   * How the value of a joint's map in a cell comes about, see explainCell; null while the exact numbers of the shown
   * frame are not here. Two views ask for the same cell, and each time they paint: so the last answer is kept.
   * @param {number} joint
   * @param {number} x
   * @param {number} y
   */
  explain(joint, x, y) {
    const { detail } = this;
    if (!detail || detail.frame !== this.shown?.frame) return null;
    const key = [this.header.generation, detail.frame, joint, x, y].join();
    if (this.explained?.key !== key) this.explained = { key, ...explainCell(this.header, detail, joint, x, y) };
    return this.explained;
  }
}
