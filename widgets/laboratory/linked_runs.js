// Keeps the laboratory's parts together: what is painted with which run, and what is said while frames are missing.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { FrameRecord, View } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { Parts } from "./parts.js" */
/** @import { Effect } from "./effect.js" */

import { progress } from "./effect.js";
import { drawRectangle } from "./rectangle.js";

export class LinkedRuns {
  /** @type {Effect | null} */
  #effect = null;
  #said = ""; // by the second run's feed
  /** @type {number | null} */
  #generation = null; // of the second run
  #raf = 0;

  /**
   * @param {object} options
   * @param {HTMLElement} options.root
   * @param {Store} options.store of the original run
   * @param {Store} options.other of the run with interventions
   * @param {CursorState} options.cursor
   * @param {Parts} options.parts
   * @param {AbortSignal} options.signal
   */
  constructor({ root, store, other, cursor, parts, signal }) {
    this.root = root;
    this.store = store;
    this.other = other;
    this.cursor = cursor;
    this.parts = parts;
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#raf));
  }

  /** @param {Effect} effect */
  setEffect(effect) {
    this.#effect = effect;
    this.parts.lane.update(effect);
    this.parts.done.update(effect);
    this.store.schedule();
  }

  /**
   * The view of the original run.
   *
   * @returns {View}
   */
  first() {
    const { original, whatIf, maps, controls, panel } = this.parts;
    return {
      header: (header) => {
        for (const run of [original, whatIf]) run.aspect(header);
        original.scene.header();
        maps.header(header);
        controls.header(header);
        panel.header(header);
        setClock(this.cursor, [this.store, this.other]);
        this.#compose();
      },
      paint: (record, bitmap) => {
        original.paint(record, bitmap);
        maps.paint(record, false, null);
        controls.paint(record);
        this.#compose();
      },
    };
  }

  /**
   * The view of the run with interventions.
   *
   * @returns {View}
   */
  second() {
    const { whatIf, maps, editor, panel } = this.parts;
    return {
      needsDetail: true,
      header: (header) => {
        const isOther = this.#generation !== header.generation;
        this.#generation = header.generation;
        editor.header(header, isOther);
        if (isOther) whatIf.forget();
        whatIf.scene.header();
        maps.header(header);
        setClock(this.cursor, [this.store, this.other]);
        this.#compose();
      },
      paint: (record, bitmap) => {
        whatIf.paint(record, bitmap);
        drawRectangle(whatIf, panel.box());
        this.#paintEdits(record);
        this.#compose();
      },
      status: (text) => {
        this.#said = text;
        this.#compose();
      },
    };
  }

  /** Paint what the edits of a kernel change, and nothing more: the pointer that paints waits for it. */
  paintEditsSoon() {
    this.#raf ||= requestAnimationFrame(() => {
      this.#raf = 0;
      const record = this.parts.whatIf.shown();
      if (!record || this.other.shown !== record) return; // all will be painted
      this.#paintEdits(record);
      this.#compare();
    });
  }

  /** @param {FrameRecord} record */
  #paintEdits(record) {
    const { editor, maps } = this.parts;
    editor.paint(record);
    maps.paint(record, true, editor.preview());
    maps.versionPainted(editor.version());
  }

  #compare() {
    const { original, whatIf, maps, editor } = this.parts;
    const [first, second] = [original.shown(), whatIf.shown()];
    if (first && second && first.frame === second.frame) maps.compare(first, second, editor.preview());
  }

  // What both runs show together, and what is still missing.
  #compose() {
    const { store, other, root } = this;
    const { original, whatIf, cover, maps, lane, panel } = this.parts;
    if (!store.header || !other.header || !this.#effect) return;
    const frame = this.cursor.get("frame");
    const { isMissing, computing, note } = progress(this.#effect, frame, other.header.n_frames, this.#said);
    cover.hidden = !isMissing;
    cover.textContent = computing;
    whatIf.canvas.classList.toggle("dkd-stale", isMissing);
    maps.element.classList.toggle("dkd-stale", isMissing);
    whatIf.note.textContent = note;
    original.note.textContent = `frame ${frame}`;
    this.#compare();
    lane.paint(frame);
    panel.follow(frame);
    root.dataset.frame = String(original.shown()?.frame ?? "");
    root.dataset.other = String(whatIf.shown()?.frame ?? "");
    root.dataset.calls = String(this.#effect.calls.length);
  }
}

/**
 * Play both runs together. Playing waits for both, but not for frames that are not computed yet.
 *
 * @param {CursorState} cursor
 * @param {[Store, Store]} stores of the original run and of the other
 */
function setClock(cursor, stores) {
  const headers = stores.map((store) => store.header);
  const isReady = (/** @type {number} */ frame) =>
    stores.every((store) => frame >= (store.header?.n_frames ?? 0) || !store.decode(frame, true));
  const paint = () => {
    for (const store of stores) store.paint();
  };
  if (headers[0] && headers[1]) cursor.clock = { times: headers[0].times, ready: isReady, paint };
}
