// Holds a trace's data near the cursor and asks Python for what is missing.

import { Details } from "./details.js";
import { completeHeader, completeRecord } from "./messages.js";
import { Painting } from "./painting.js";
import { isBusy } from "./starting.js";
import { readMessage } from "./wire.js";

/** @import { Message, Model, View } from "./types.d.ts" */
/** @import { CursorState } from "./cursor.js" */

const GREETED = 2; // messages that answer a greeting: the header, and the record of the current frame
const BUSY = "The kernel is busy with other cells: frames that are not here yet come as soon as it is free.";
const PATIENCE_MS = 1500; // without an answer for so long, the views say that they wait

export class Store extends Painting {
  /**
   * @param {Model} model
   * @param {AbortSignal} signal
   */
  constructor(model, signal) {
    super();
    this.model = model;
    this.patience = 0;
    this.asked = false; // a records request is under way
    this.isResting = false; // all views have left the page
    /** @type {[Message, DataView[]][] | null} */
    this.early = []; // what the stub's greeting was answered before a view was here; null where more has happened since
    this.details = new Details(this);
    model.on("msg:custom", (content, buffers) => this.receive(content, buffers));
    model.on("change:_offered", () => this.take());
    this.take();
    signal.addEventListener("abort", () => {
      clearTimeout(this.patience);
      this.forgetTrace();
    });
  }

  /** What the kernel offers before it is asked: it may be busy with the cells below. */
  take() {
    for (const [content, buffers] of this.model.get("_offered") ?? []) this.receive(structuredClone(content), buffers);
  }

  get detail() {
    return this.details.detail;
  }

  arrived() {
    this.details.want();
    this.fetch();
  }

  forgetTrace() {
    this.reset();
    this.details.clear();
    this.asked = false;
  }

  /** @param {CursorState} cursor */
  attach(cursor) {
    if (this.attached) return;
    this.follow(cursor);
    let before = cursor.get("frame");
    cursor.on((name) => {
      const frame = cursor.get("frame");
      if (name === "frame" && frame !== before) {
        this.direction = frame > before ? 1 : -1;
        before = frame;
        this.fetch();
      }
      this.schedule(name !== "frame");
    });
    const { early } = this;
    this.early = null;
    if (!early) this.send({ type: "hello" });
    else if (!early.length) this.wait();
    for (const message of early ?? []) this.receive(...message);
  }

  /**
   * @param {View} view
   * @param {AbortSignal} signal
   */
  add(view, signal) {
    super.add(view, signal);
    this.isResting = false;
    signal.addEventListener("abort", () => {
      if (!this.views.size) this.rest();
    });
    this.fetch();
  }

  /** The last view has left the page: frames are freed, and asked for again should another view come. */
  rest() {
    this.isResting = true;
    clearTimeout(this.patience);
    this.drop(0, Number.POSITIVE_INFINITY);
    this.details.clear();
  }

  /** Ask for the records that are needed first. What lies ahead waits for the first painting. */
  fetch() {
    if (this.asked || !this.header || !this.views.size) return;
    if (!this.shown && this.records.has(this.cursor.get("frame"))) return;
    const frames = this.records.missing(this.place());
    if (frames.length) this.asked = this.send({ type: "records", generation: this.header.generation, frames });
  }

  /**
   * @param {object} content
   * @returns {boolean} whether it could be sent
   */
  send(content) {
    try {
      this.model.send(content);
      this.wait();
      return true;
    } catch {
      this.say("The kernel does not answer. Frames that are already here can still be seen.");
      return false;
    }
  }

  /** An answer is on its way. */
  wait() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.say(this.waiting()), PATIENCE_MS);
  }

  /** What the views say while they wait; a page from a file says its own. */
  waiting() {
    return this.model.get("_waiting") ?? (isBusy(this.model) ? BUSY : "waiting for the kernel …");
  }

  /**
   * @param {Message} content
   * @param {DataView[]} buffers
   */
  receive(content, buffers) {
    if (!this.attached) {
      this.early = this.early && this.early.length < GREETED ? [...this.early, [content, buffers]] : null;
      return;
    }
    clearTimeout(this.patience);
    if (content.type === "error") {
      if (content.asked === "records") this.asked = false;
      this.details.refused(content.asked === "detail");
      return this.say(content.message);
    }
    if (this.status) this.say("");
    if (content.type !== "header" && content.generation !== this.header?.generation) return;
    const message = readMessage(content, buffers);
    if (message.type === "header") this.receiveHeader(message);
    if (message.type === "records") this.receiveRecords(message.records);
    if (message.type === "detail") this.details.receive(message);
  }

  /** @param {Message} message */
  receiveHeader(message) {
    const { keep = 0, keep_from: keepFrom = Number.POSITIVE_INFINITY } = message;
    if ((keep || keepFrom < message.n_frames) && this.header) this.keep(keep, message.generation, keepFrom);
    else this.forgetTrace();
    const header = completeHeader(message);
    this.know(header);
    this.cursor.load({
      times: header.times,
      ready: (frame) => !this.decode(frame, true),
      paint: () => this.paint(),
    });
    for (const view of this.views) view.header?.(header);
    this.asked ||= Boolean(header.record_follows);
    this.schedule();
    this.fetch();
  }

  /**
   * Another header, of a run whose first `count` frames are the same, and those from `again` on: what is here of them
   * stays.
   * @param {number} count
   * @param {number} generation
   * @param {number} again
   */
  keep(count, generation, again) {
    this.drop(count, again);
    const isOther = generation !== this.header.generation;
    this.details.keep(count, isOther);
    if (isOther) this.asked = false; // what is under way is of the run before, and will be dropped
  }

  /** @param {Message[]} entries */
  receiveRecords(entries) {
    this.asked = false;
    if (this.isResting) return;
    for (const entry of entries) this.records.hold(completeRecord(entry));
    this.decode(this.cursor.get("frame"));
    this.records.forget(this.place());
    this.schedule();
    this.fetch();
  }
}
