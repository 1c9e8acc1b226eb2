// Paints: all views show one and the same record, in one animation frame.

import { Pictures } from "./pictures.js";
import { Records } from "./records.js";
import { Selection } from "./selection.js";

/** @import { View } from "./types.d.ts" */

export class Painting extends Selection {
  /** @type {Set<View>} */
  views = new Set();
  status = ""; // what the views say under the frame: waiting, an error, or nothing
  /** @type {number[]} */
  latencies = []; // ms from the user's move to the painted frame, newest last
  painted = 0; // frames painted so far

  // Of the trace that is shown; reset() forgets it.
  records = new Records();
  pictures = new Pictures({
    record: (frame) => this.records.get(frame),
    ready: (frame, isAhead) => this.pictureReady(frame, isAhead),
    failed: (text) => this.say(text),
    rest: () => this.header && this.decodeAround(),
  });
  /** @type {number | null} */
  passing = null; // a frame asked for a moment ago that is ready, while the one asked for now is not
  direction = 1; // in which the cursor moves
  raf = 0;
  dirty = true; // something besides the frame changed since the last painting

  reset() {
    this.records.dropAll();
    this.pictures.clear();
    cancelAnimationFrame(this.raf);
    this.raf = 0;
    this.passing = null;
    this.forgetSelection();
    this.direction = 1;
    this.dirty = true;
  }

  /** Called when the shown frame is the one that is asked for. */
  arrived() {}

  /**
   * @param {View} view
   * @param {AbortSignal} signal
   */
  add(view, signal) {
    this.views.add(view);
    signal.addEventListener("abort", () => this.views.delete(view));
    if (this.header) view.header?.(this.header);
    this.schedule();
  }

  /**
   * Drop the frames from this one to before that one.
   * @param {number} first
   * @param {number} stop
   */
  drop(first, stop) {
    const isOut = (/** @type {number} */ frame) => frame >= first && frame < stop;
    for (const frame of [...this.records.keys()]) if (isOut(frame)) this.records.drop(frame);
    for (const frame of [...this.pictures.bitmaps.keys()]) if (isOut(frame)) this.pictures.drop(frame);
    if (this.shown && isOut(this.shown.frame)) this.show(null);
  }

  /** @param {string} text */
  say(text) {
    this.status = text;
    for (const view of this.views) view.status?.(text);
  }

  /** Where the cursor is in the clip, see fetching.js. */
  place() {
    return { here: this.cursor.get("frame"), direction: this.direction, count: this.header.n_frames };
  }

  /**
   * Start decoding a frame's picture, if its record is here.
   * @param {number} frame
   * @returns {boolean} whether the frame cannot be painted yet
   */
  decode(frame, isAhead = false) {
    return this.pictures.decode(frame, isAhead);
  }

  decodeAround() {
    this.pictures.decodeAround(this.place(), this.header.image);
  }

  /**
   * @param {number} frame
   * @param {boolean} isAhead
   */
  pictureReady(frame, isAhead) {
    const isHeld = this.pictures.bitmaps.has(frame);
    if (isHeld && !isAhead) this.passing = frame;
    if (!this.shown && frame === this.cursor.get("frame"))
      this.paint(); // the first picture is waited for
    else if (!isHeld || !isAhead || frame === this.cursor.get("frame")) this.schedule(false);
  }

  /** Paint in the next animation frame; `dirty` where something besides the frame has changed. */
  schedule(dirty = true) {
    this.dirty ||= dirty;
    this.raf ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.raf);
    this.raf = 0;
    if (!this.header) return;
    const { records, pictures } = this;
    const wanted = this.cursor.get("frame");
    const ready = records.has(wanted) && !this.decode(wanted);
    const target = ready ? wanted : this.passing; // fast scrubbing shows the frames it passes, not a frozen picture
    this.passing = null;
    const record = target === null ? undefined : records.get(target);
    if (record && record.frame !== this.shown?.frame && pictures.bitmaps.has(record.frame)) {
      this.show(record);
      this.painted += 1;
      this.dirty = true;
    }
    const bitmap = this.shown && pictures.bitmaps.get(this.shown.frame);
    if (this.dirty && this.shown && bitmap) {
      for (const view of this.views) view.paint(this.shown, bitmap);
      this.dirty = false;
    }
    if (!ready) return;
    this.noteLatency();
    this.decodeAround();
    this.arrived();
  }

  noteLatency() {
    if (!this.cursor.lastUserMove) return;
    this.latencies.push(performance.now() - this.cursor.lastUserMove);
    if (this.latencies.length > 200) this.latencies.shift();
    this.cursor.lastUserMove = 0;
  }
}
