// The laboratory's parts, and how they are laid out.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Model } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { Act } from "./done.js" */
/** @import { Step } from "./step.js" */

import { h } from "../core/dom.js";
import { buildTransport } from "../workbench/transport.js";
import { buildDone, listenForUndo } from "./done.js";
import { buildKernelEditor } from "./kernel_editor.js";
import { buildLane } from "./lane.js";
import { buildMaps } from "./maps.js";
import { buildPanel } from "./panel.js";
import { listenForRectangle } from "./rectangle.js";
import { buildRun } from "./run_view.js";

/** @typedef {ReturnType<typeof buildParts>} Parts */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Store} options.store of the original run
 * @param {Store} options.other of the run with interventions
 * @param {CursorState} options.cursor
 * @param {Model} options.model
 * @param {() => void} options.edited called when the kernels that are shown were edited
 * @param {AbortSignal} options.signal
 */
export function buildParts({ root, store, other, cursor, model, edited, signal }) {
  const problem = h("div", { class: "dkd-note dkd-error dkd-lab-problem", role: "alert", hidden: true });
  /** @param {string} text */
  const sayProblem = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  /** @param {{ type: "apply", steps: Step[] } | { type: Act }} content */
  const send = (content) => {
    try {
      model.send(content);
    } catch {
      sayProblem("The kernel does not answer. Nothing was changed.");
    }
  };
  const apply = (/** @type {Step[]} */ steps) => send({ type: "apply", steps });
  const act = (/** @type {Act} */ type) => send({ type });

  const original = buildRun({ name: "original", label: "Original", root, store, cursor, signal });
  const whatIf = buildRun({ name: "what-if", label: "What if", root, store: other, cursor, signal });
  const cover = h("div", { class: "dkd-lab-cover", hidden: true });
  whatIf.canvas.after(cover);
  const maps = buildMaps(store, other, signal);
  const editor = buildKernelEditor({ root, store: other, send: apply, changed: edited, signal });
  const done = buildDone(root, act);
  const lane = buildLane({ root, store, cursor, signal });
  const panel = buildPanel({ forms: model.get("_forms"), others: model.get("_others"), cursor, send: apply });
  const controls = buildTransport(root, store, cursor, signal);
  root.append(
    h(
      "div",
      { class: "dkd-lab" },
      h("div", { class: "dkd-lab-upper" }, original.element, whatIf.element, panel.element),
      problem,
      h("div", { class: "dkd-lab-lower" }, maps.element, editor.element, done.element),
      controls.element,
      lane.element,
    ),
  );

  original.canvas.addEventListener("click", (event) => original.scene.select(original.canvas, event), { signal });
  const dragged = (/** @type {number[]} */ rectangle) => {
    panel.setBox(rectangle);
    other.schedule();
  };
  listenForRectangle(whatIf, dragged, signal);
  for (const type of ["input", "click"]) panel.element.addEventListener(type, () => other.schedule(), { signal });
  listenForUndo(root, act, signal);
  return { original, whatIf, cover, maps, editor, done, lane, panel, controls, sayProblem };
}
