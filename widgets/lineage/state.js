// What the lineage view knows: what Python has sent, what is selected, and what is asked for. It paints nothing.

import { readMessage } from "../core/wire.js";
import { cellOf, firstCell, pairOf } from "./matrix.js";

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Header, Message, Model } from "../core/types.d.ts" */
/** @import { Cell, Pair } from "./matrix.js" */
/** @import { Matrix, Pictures, Progress, Reliance } from "./messages.d.ts" */

const REST_MS = 150; // until the pictures of a cell that was reached by keys are asked for
const TRAITS = ["kernel", "centred", "reliance"];

export class LineageState {
  /**
   * @param {Model} model
   * @param {Store} store
   * @param {CursorState} cursor
   * @param {AbortSignal} signal ends it
   */
  constructor(model, store, cursor, signal) {
    this.model = model;
    this.store = store;
    this.cursor = cursor;
    this.signal = signal;
    this.rest = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
    this.reset();
    const onMessage = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) =>
      this.receive(content, buffers);
    const onTrait = () => this.traitChanged();
    model.on("msg:custom", onMessage);
    for (const name of TRAITS) model.on(`change:${name}`, onTrait);
    cursor.on((name) => name === "joint" && this.askRecorded(), signal);
    signal.addEventListener("abort", () => {
      clearTimeout(this.rest);
      model.off("msg:custom", onMessage);
      for (const name of TRAITS) model.off(`change:${name}`, onTrait);
    });
  }

  /** Forget everything: another trace is shown. */
  reset() {
    /** @type {Matrix | null} */
    this.matrix = null;
    /** @type {Reliance | null} */
    this.reliance = null;
    /** @type {Pictures | null} */
    this.pictures = null;
    /** @type {Progress | null} */
    this.progress = null;
    /** @type {Pair | null} */
    this.chosen = null; // the frames of the selected cell
    /** @type {Set<string>} */
    this.failed = new Set(); // what could not be computed: "matrix", "reliance"
  }

  /** @returns {Header} */
  get header() {
    return /** @type {Header} */ (this.store.header);
  }

  // ---- to and from Python

  /** @param {object} content */
  ask(content) {
    try {
      this.model.send(content);
    } catch {
      this.store.say("The kernel does not answer. What is already here can still be seen.");
    }
  }

  /** Ask for what is shown. In a page from a file there is no Python that hears of a choice; elsewhere it sends it. */
  askRecorded() {
    if (!this.model.get("_recorded") || !this.store.header?.channels) return;
    this.ask({ type: "matrix", joint: this.kernelJoint, centred: this.model.get("centred") });
    if (this.model.get("reliance")) this.ask({ type: "reliance", joint: this.relianceJoint });
  }

  /**
   * Set a trait of the widget.
   * @param {"kernel" | "centred" | "reliance"} name
   * @param {string | boolean} value
   */
  choose(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
    this.store.schedule();
  }

  traitChanged() {
    this.failed.clear();
    this.askRecorded();
    if (!this.model.get("reliance") || this.reliance?.complete === false) this.reliance = null;
    this.store.schedule();
  }

  /**
   * @param {Message} content
   * @param {DataView[]} buffers
   */
  receive(content, buffers) {
    if (content.generation !== undefined && content.generation !== this.store.header?.generation) return;
    const message = readMessage(content, buffers);
    if (message.type === "matrix") this.receiveMatrix(/** @type {any} */ (message));
    if (message.type === "reliance") this.reliance = /** @type {any} */ (message);
    if (message.type === "progress") this.progress = /** @type {any} */ (message);
    if (message.type === "pictures") this.receivePictures(/** @type {any} */ (message));
    if (message.type === "failed") this.failed.add(message.what);
    else this.failed.delete(message.type);
    this.store.schedule();
  }

  /** @param {Pictures} pictures */
  receivePictures(pictures) {
    const { s, t } = pictures;
    if (s === this.chosen?.s && t === this.chosen.t) this.pictures = pictures; // else of a cell that was left meanwhile
  }

  /** @param {Matrix} matrix */
  receiveMatrix(matrix) {
    this.matrix = matrix;
    if (!this.chosen) this.select(firstCell(matrix, this.cursor.get("frame")), false);
  }

  // ---- what is selected

  /** The joint whose effective kernels are wanted; "" for the whole kernels. */
  get kernelJoint() {
    const kernel = this.model.get("kernel");
    if (kernel === "whole") return "";
    return kernel === "selected" ? this.cursor.get("joint") : kernel;
  }

  /** The joint whose channels are shown. */
  get relianceJoint() {
    return this.kernelJoint || this.cursor.get("joint");
  }

  /** The joints whose channels a page from a file has; null where Python computes them. @returns {string[] | null} */
  get recorded() {
    return this.model.get("_recorded") ? this.model.get("_reliances") : null;
  }

  /** Whether the matrix that is shown is not the one that is wanted. */
  get isStale() {
    if (!this.matrix) return true;
    return this.matrix.joint !== this.kernelJoint || this.matrix.centred !== this.model.get("centred");
  }

  /** The selected cell of the matrix that is shown. */
  get chosenCell() {
    return this.matrix && this.chosen ? cellOf(this.matrix, this.chosen) : null;
  }

  /**
   * Select a cell and ask for the pictures of its frames: at once if the cursor is to jump to frame t, else after a rest.
   * @param {Cell} cell
   * @param {boolean} jump
   */
  select(cell, jump) {
    if (!this.matrix) return;
    this.chosen = pairOf(this.matrix, cell);
    const { s, t } = this.chosen;
    clearTimeout(this.rest);
    if (jump) this.cursor.seek(t);
    this.rest = setTimeout(() => this.ask({ type: "pictures", s, t }), jump ? 0 : REST_MS);
    this.store.schedule();
  }
}
