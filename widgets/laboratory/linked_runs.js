// Keeps the laboratory's parts together: what is painted with which run, and what is said while frames are missing.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { FrameRecord, Header, View } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { Parts } from "./parts.js" */
/** @import { Effect } from "./effect.js" */

import { progress } from "./effect.js";
import { drawRectangle } from "./rectangle.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Store} options.store of the original run
 * @param {Store} options.other of the run with interventions
 * @param {CursorState} options.cursor
 * @param {Parts} options.parts
 * @param {AbortSignal} options.signal
 */
export function linkRuns({ root, store, other, cursor, parts, signal }) {
  const { original, whatIf, cover, maps, lane, panel, editor, controls } = parts;
  /** @type {Effect | null} */
  let effect = null;
  let said = ""; // by the second run's feed
  /** @type {number | null} */
  let generation = null; // of the second run
  let raf = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(raf));

  // What the edits of a kernel change, and nothing more: the pointer that paints waits for it.
  function paintEditsSoon() {
    raf ||= requestAnimationFrame(() => {
      raf = 0;
      const record = whatIf.shown();
      if (!record || other.shown !== record) return; // all will be painted
      paintEdits(record);
      compare();
    });
  }

  /** @param {FrameRecord} record */
  function paintEdits(record) {
    editor.paint(record);
    maps.paint(record, true, editor.preview());
    maps.versionPainted(editor.version());
  }

  function compare() {
    const [first, second] = [original.shown(), whatIf.shown()];
    if (first && second && first.frame === second.frame) maps.compare(first, second, editor.preview());
  }

  // What both runs show together, and what is still missing.
  function compose() {
    if (!store.header || !other.header || !effect) return;
    const frame = cursor.get("frame");
    const { isMissing, computing, note } = progress(effect, frame, other.header.n_frames, said);
    cover.hidden = !isMissing;
    cover.textContent = computing;
    whatIf.canvas.classList.toggle("dkd-stale", isMissing);
    maps.element.classList.toggle("dkd-stale", isMissing);
    whatIf.note.textContent = note;
    original.note.textContent = `frame ${frame}`;
    compare();
    lane.paint(frame);
    panel.follow(frame);
    root.dataset.frame = String(original.shown()?.frame ?? "");
    root.dataset.other = String(whatIf.shown()?.frame ?? "");
    root.dataset.calls = String(effect.calls.length);
  }

  /** @type {View} */
  const first = {
    header(header) {
      for (const run of [original, whatIf]) run.aspect(header);
      original.scene.header();
      maps.header(header);
      controls.header(header);
      panel.header(header);
      setClock(cursor, [store, other]);
      compose();
    },
    paint(record, bitmap) {
      original.paint(record, bitmap);
      maps.paint(record, false, null);
      controls.paint(record);
      compose();
    },
  };
  /** @type {View} */
  const second = {
    needsDetail: true,
    header(header) {
      const isOther = generation !== header.generation;
      generation = header.generation;
      editor.header(header, isOther);
      if (isOther) whatIf.forget();
      whatIf.scene.header();
      maps.header(header);
      setClock(cursor, [store, other]);
      compose();
    },
    paint(record, bitmap) {
      whatIf.paint(record, bitmap);
      drawRectangle(whatIf, panel.box());
      paintEdits(record);
      compose();
    },
    status(text) {
      said = text;
      compose();
    },
  };
  /** @param {Effect} given */
  const setEffect = (given) => {
    effect = given;
    store.schedule();
  };
  return { first, second, paintEditsSoon, setEffect };
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
