// The coherence debugger: lanes over the clip, what stands out, and figures of a range. Python measures; which lanes and
// moments are shown is decided here, so that filters and the cursor need no round trip.

import { copyText } from "../core/clipboard.js";
import { palette } from "../core/colours.js";
import { h } from "../core/dom.js";
import { mount } from "../core/mount.js";
import { exportsBar, passingNote } from "./exports_view.js";
import { figuresView } from "./figures_view.js";
import { headView } from "./head_view.js";
import { lanesView } from "./lanes_view.js";
import { momentsView } from "./moments_view.js";
import { DebuggerState } from "./state.js";

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Context, FrameRecord, Header, Model } from "../core/types.d.ts" */

const UNITS =
  "Unit “box”: the larger side of the person’s box, so that near and far people compare. A dotted line is a lane’s limit; " +
  "bars at the top mark the moments of the list.";
const HINT = "Click to go there; drag, or Shift with the arrow keys, selects a range; N and P go through the list.";

/**
 * Build the view in `root`.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 * @param {Model} model
 */
function buildDebugger(root, store, cursor, signal, model) {
  const note = passingNote(signal);
  const page = { say: note.say, copy: (/** @type {string} */ text) => copyText(text, root) };
  const state = new DebuggerState(model, store, cursor, signal, page);
  const head = headView(state);
  const lanes = lanesView(state);
  const moments = momentsView(state);
  const figures = figuresView(state, root);
  const measuring = h("div", { class: "dkd-muted", role: "status" }, "measuring …");
  const exported = exportsBar(state, note.element);
  const listed = h("section", { "aria-label": "Moments that stand out" }, moments.header, moments.scroll, exported);
  root.append(
    ...head.elements,
    measuring,
    lanes.element,
    h("p", { class: "dkd-debugger-hint" }, UNITS),
    h("p", { class: "dkd-debugger-hint" }, HINT),
    head.missing,
    h("div", { class: "dkd-debugger-columns" }, listed, figures.element),
  );
  root.addEventListener("keydown", moments.onKey, { signal });
  const onError = () => {
    if (model.get("_error")) measuring.hidden = true; // the error stands below
  };
  model.on("change:_error", onError);
  signal.addEventListener("abort", () => model.off("change:_error", onError));
  let filled = state.data;

  return {
    /** @param {Header} header */
    header(header) {
      measuring.hidden = false;
      state.diagnose(header);
    },
    /** @param {FrameRecord} record */
    paint(record) {
      if (!state.data || state.data.generation !== store.header?.generation) return;
      if (filled !== state.data) {
        filled = state.data;
        measuring.hidden = true;
        head.fill(filled);
        moments.open();
      }
      moments.fill();
      state.wantFigures();
      lanes.paint(record, palette(root));
      moments.paint(record.frame);
      figures.paint();
      root.dataset.frame = String(record.frame);
    },
  };
}

export default {
  /** @param {Context} context */
  async render(context) {
    await mount(context, "debugger", "Coherence debugger", (root, store, cursor, signal) =>
      buildDebugger(root, store, cursor, signal, context.model),
    );
  },
};
