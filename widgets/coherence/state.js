// What the coherence debugger knows: what Python has measured, which lanes and moments are shown, what is asked for.

import { readMessage } from "../core/wire.js";
import { shownLanes } from "./curves.js";
import { copyCode, saveFile } from "./exports.js";
import { figuresKey } from "./figures.js";
import { filtered, MOST_ROWS } from "./moments.js";

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Header, Message, Model } from "../core/types.d.ts" */
/** @import { Range, Scope } from "./curves.js" */
/** @import { Diagnosis, Figures, Moment } from "./messages.d.ts" */
/** @typedef {{ scope: Scope, reason: string, mine: boolean }} Choice mine: only the moments of the selected joint */

export class DebuggerState {
  /**
   * @param {Model} model
   * @param {Store} store
   * @param {CursorState} cursor
   * @param {AbortSignal} signal ends it
   * @param {{ say(text: string): void, copy(text: string): Promise<boolean> }} page
   */
  constructor(model, store, cursor, signal, page) {
    this.model = model;
    this.store = store;
    this.cursor = cursor;
    this.signal = signal;
    this.page = page;
    /** @type {Diagnosis | null} */
    this.data = null;
    /** @type {Set<string> | null} */
    this.shown = null; // keys of the lanes that are shown; null before the first diagnosis
    /** @type {Choice} */
    this.choice = { scope: "joint", reason: "", mine: false };
    this.version = 0; // counts changes of data and choices
    /** @type {Moment[]} */
    this.rows = []; // that are listed
    this.found = 0; // how many the filters let through
    /** @type {Moment | null} */
    this.chosen = null; // the moment that was gone to last
    /** @type {string | null} */
    this.asked = null; // key of the figures that are under way
    /** @type {Figures | null} */
    this.figures = null;
    const onMessage = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) =>
      this.receive(content, buffers);
    model.on("msg:custom", onMessage);
    signal.addEventListener("abort", () => model.off("msg:custom", onMessage));
  }

  /** @returns {Header} */
  get header() {
    return /** @type {Header} */ (this.store.header);
  }

  get isPair() {
    return (this.data?.models.length ?? 0) > 1;
  }

  /** The joint that the list is filtered by, or null. */
  get listJoint() {
    return this.choice.mine ? this.cursor.get("joint") : null;
  }

  /** The joint that the figures are of, or null for all joints. */
  get figuresJoint() {
    return this.choice.scope === "joint" ? this.cursor.get("joint") : null;
  }

  /** Whether this is a page from a file, which has no figures of ranges, and nobody who writes files or code. */
  get isRecorded() {
    return Boolean(this.model.get("_recorded"));
  }

  /** The selected range, where there are figures of it. @returns {Range | null} */
  get range() {
    return this.isRecorded ? null : this.cursor.get("range");
  }

  /** The frames that the figures are of. @returns {Range} */
  get span() {
    return this.range ?? [0, this.cursor.get("n_frames") - 1];
  }

  get figuresKey() {
    return figuresKey(this.store.header?.generation, this.span, this.figuresJoint);
  }

  /** Equal keys, equal lists. */
  get listKey() {
    return [this.version, this.listJoint].join();
  }

  // ---- to and from Python

  /** @param {object} content */
  ask(content) {
    try {
      this.model.send(content);
      return true;
    } catch {
      this.page.say("the kernel does not answer");
      return false;
    }
  }

  /**
   * Ask for the diagnosis of the trace that is shown from now on.
   * @param {Header} header
   */
  diagnose({ generation }) {
    this.data = null;
    this.ask({ type: "diagnose", generation });
  }

  /** Ask for the figures of the range, unless they are here or a request is under way. */
  wantFigures() {
    const key = this.figuresKey;
    if (this.figures?.key === key || this.asked) return;
    const [first, last] = this.span;
    if (this.ask({ type: "statistics", first, last, joint: this.figuresJoint, key })) this.asked = key;
  }

  /**
   * @param {Message} content
   * @param {DataView[]} buffers
   */
  async receive(content, buffers) {
    const message = readMessage(content, buffers);
    if (message.type === "diagnosis") this.receiveDiagnosis(/** @type {any} */ (message));
    if (message.type === "statistics") this.receiveFigures(/** @type {any} */ (message));
    if (message.type === "export") saveFile(this, message.format, message.text);
    if (message.type === "code") await copyCode(this, message.text);
  }

  /** @param {Figures} figures */
  receiveFigures(figures) {
    this.asked = null;
    if (figures.key === this.figuresKey) this.figures = figures;
    this.store.schedule();
  }

  /** @param {Diagnosis} data */
  receiveDiagnosis(data) {
    if (data.generation !== this.store.header?.generation) return; // of a trace that was left meanwhile
    this.data = data;
    this.shown = shownLanes(data.lanes, this.shown);
    if (!this.reasons.includes(this.choice.reason)) this.choice.reason = "";
    this.chosen = this.figures = this.asked = null;
    this.change({});
  }

  // ---- what is shown

  /** The reasons that there are moments for. */
  get reasons() {
    const { reasons, moments } = this.data ?? { reasons: [], moments: [] };
    return reasons.filter((reason) => moments.some((m) => m.reason === reason));
  }

  /** The lanes that are shown. */
  get shownLanes() {
    return (this.data?.lanes ?? []).filter((lane) => this.shown?.has(lane.key));
  }

  /** @param {Partial<Choice>} choice */
  change(choice) {
    Object.assign(this.choice, choice);
    this.version += 1;
    this.store.schedule();
  }

  /**
   * Show or hide a lane.
   * @param {string} key
   * @param {boolean} on
   */
  toggle(key, on) {
    if (on) this.shown?.add(key);
    else this.shown?.delete(key);
    this.change({});
  }

  /** List the moments that the filters let through. */
  list() {
    const fitting = filtered(this.data?.moments ?? [], { reason: this.choice.reason, joint: this.listJoint });
    this.rows = fitting.slice(0, MOST_ROWS);
    this.found = fitting.length;
  }
}
