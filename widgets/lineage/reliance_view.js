// Which channels a joint relies on: a strip of rows, computed on request.

import { viridis } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { readable } from "../core/text.js";
import {
  absentNote,
  cellUnder,
  describeShare,
  emptyNote,
  rowCount,
  rowLabel,
  scaledShares,
  scaleNote,
} from "./channels.js";
import { GREY, nearest } from "./matrix.js";
import { onHover } from "./strokes.js";

/** @import { LineageState } from "./state.js" */
/** @import { Cell } from "./matrix.js" */
/** @import { Reliance } from "./messages.d.ts" */

const ROW_PX = 16; // as in lineage.css

/** @param {LineageState} state */
export function relianceView(state) {
  const controls = controlsView(state);
  const strip = stripView(state);
  const text = h("div", { class: "dkd-muted dkd-lineage-reading" });
  const element = h("div", { class: "dkd-lineage-lower" }, ...controls.elements, strip.element, text);
  return {
    element,
    /** @param {number} frame */
    paint(frame) {
      const joint = state.relianceJoint;
      const wanted = state.model.get("reliance");
      const failed = state.failed.has("reliance");
      const reliance = wanted && state.reliance?.joint === joint ? state.reliance : null;
      const { recorded } = state;
      const isAbsent = recorded?.includes(joint) === false;
      const busy = wanted && !reliance && !failed && !isAbsent;
      controls.paint(joint, busy, reliance?.complete === false);
      strip.element.hidden = !reliance?.frames.length;
      element.dataset.shown = reliance ? joint : "";
      const empty = recorded && (isAbsent || !wanted) ? absentNote(recorded) : emptyNote({ failed, busy, wanted });
      text.textContent = reliance?.frames.length ? strip.paint(reliance, frame) : empty;
    },
  };
}

/**
 * The heading, the switch, progress, and the buttons to stop and to complete.
 * @param {LineageState} state
 */
function controlsView(state) {
  const heading = h("h3");
  /** @type {HTMLInputElement} */
  const toggle = h("input", { type: "checkbox", onchange: () => state.choose("reliance", toggle.checked) });
  /** @type {HTMLProgressElement} */
  const bar = h("progress", { class: "dkd-progress", "aria-label": "Frames computed", value: 0, hidden: true });
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {string} */ type) =>
    h("button", { class: "dkd-button", title, onclick: () => state.ask({ type }), hidden: true }, text);
  const stop = button("Stop", "Stop, and show what has been computed so far", "stop");
  const complete = button("Complete", "Compute all frames of the sample", "again");
  const switched = h("label", { class: "dkd-check" }, toggle, state.recorded ? "show" : "compute");
  return {
    elements: [h("header", {}, heading, switched, stop, complete), bar],
    /**
     * @param {string} joint
     * @param {boolean} busy
     * @param {boolean} partial
     */
    paint(joint, busy, partial) {
      heading.textContent = `Which channels the ${readable(joint)} relies on`;
      toggle.checked = state.model.get("reliance");
      stop.hidden = bar.hidden = !busy;
      complete.hidden = !partial;
      const { progress } = state;
      if (busy && progress?.joint === joint) [bar.max, bar.value] = [progress.of, progress.done];
      else bar.removeAttribute("value");
    },
  };
}

/**
 * The rows of channels over the frames of the sample.
 * @param {LineageState} state
 */
function stripView(state) {
  const { store, cursor, signal } = state;
  const labels = h("div", { class: "dkd-lineage-channels" });
  const canvas = h("canvas", { width: 1, height: 1, role: "img" });
  const here = h("span", { class: "dkd-lineage-here" });
  const element = h(
    "div",
    { class: "dkd-lineage-reliance" },
    labels,
    h("div", { class: "dkd-lineage-strip" }, canvas, here),
  );
  /** @type {Reliance | null} */
  let shown = null;
  /** @type {Cell | null} */
  let hover = null;

  /** @param {MouseEvent} event */
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const point = /** @type {[number, number]} */ ([
      (event.clientX - box.left) / box.width,
      (event.clientY - box.top) / box.height,
    ]);
    return shown && cellUnder(shown, point);
  };
  onHover(canvas, signal, (event) => {
    hover = event && under(event);
    store.schedule();
  });
  canvas.addEventListener(
    "click",
    (event) => {
      const cell = under(event);
      if (shown && cell) cursor.seek(shown.frames[cell[1]], event.timeStamp);
    },
    { signal },
  );

  /** @param {Reliance} reliance */
  function paintRows(reliance) {
    const rows = rowCount(reliance);
    const colour = (/** @type {number} */ value) => (Number.isNaN(value) ? GREY : viridis(value));
    paintCells(canvas, reliance.frames.length, rows, scaledShares(reliance), colour);
    labels.replaceChildren(...Array.from({ length: rows }, (_, row) => h("span", {}, rowLabel(reliance, row))));
    canvas.style.height = `${ROW_PX * rows}px`;
    canvas.setAttribute("aria-label", `Strongest: ${rowLabel(reliance, 0)}. ${scaleNote(reliance)}`);
  }

  return {
    element,
    /**
     * Paint, and return what is to be said under the strip.
     * @param {Reliance} reliance
     * @param {number} frame
     */
    paint(reliance, frame) {
      if (shown !== reliance) {
        [shown, hover] = [reliance, null];
        paintRows(reliance);
      }
      const column = nearest(reliance.frames, frame);
      here.style.left = `${(100 * (column + 0.5)) / reliance.frames.length}%`;
      return hover ? describeShare(reliance, hover) : scaleNote(reliance);
    },
  };
}
