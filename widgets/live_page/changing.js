// What the user changes: the box of the person, covered parts of the picture, kernels; and taking it back.

import { h } from "../core/dom.js";
import { buildKernelEditor } from "../laboratory/kernel_editor.js";
import { drawRectangle, listenForRectangle } from "../laboratory/rectangle.js";
import { WHOLE } from "../workbench/place.js";

/** @import { Store } from "../core/store.js" */
/** @import { Step as Call } from "../laboratory/step.js" */
/** @import { KernelEdit } from "../laboratory/kernel_edits.js" */
/** @import { Editing, Stage } from "../workbench/player.js" */
/** @import { Change, Run } from "./run.js" */
/** @import { Box } from "./squares.js" */

/** @typedef {"box" | "cover" | "blur"} Tool */

const LEAST_PX = 8; // a smaller rectangle is a slip
/** @type {[Tool, string, string][]} */
const TOOLS = [
  ["box", "follows the person in it", "From this frame on, the network follows the person in the box that you draw"],
  ["cover", "is covered", "From this frame on, the network sees grey there"],
  ["blur", "is blurred", "From this frame on, the network sees this part of the picture blurred"],
];

/**
 * A drag over the player.
 * @param {Store} store
 * @param {(box: Box) => void} chosen
 * @param {AbortSignal} signal
 * @returns {Editing}
 */
export function dragging(store, chosen, signal) {
  /** @type {number[] | null} */
  let box = null;
  const over = (/** @type {Stage} */ { canvas, scene, fit }) =>
    drawRectangle({ canvas, scene, measure: fit }, box?.map(String));
  return {
    look: { zoom: WHOLE, isEditing: false, held: -1 },
    begin({ canvas, scene }) {
      canvas.classList.add("dkd-live-page-canvas");
      const dragged = (/** @type {number[]} */ rectangle) => {
        box = rectangle;
        store.schedule();
      };
      const released = (/** @type {boolean} */ isMeant) => {
        const was = box;
        box = null;
        store.schedule();
        if (!was || !isMeant || Math.min(was[2] - was[0], was[3] - was[1]) < LEAST_PX) return;
        chosen(/** @type {Box} */ (/** @type {unknown} */ (was)));
      };
      listenForRectangle({ canvas, scene, store }, dragged, signal, released);
    },
    drawn: (record) => record,
    over,
  };
}

/**
 * What a drag does, what was changed so far, and how to take it back.
 * @param {Run} run
 */
export function buildChanges(run) {
  /** @type {Tool} */
  let tool = "box";
  const choices = TOOLS.map(([name, text, title]) => {
    const choose = () => {
      tool = name;
    };
    const radio = h("input", { type: "radio", name: "dkd-live-page-tool", checked: name === tool, onchange: choose });
    return h("label", { class: "dkd-check", title }, radio, text);
  });
  const said = h("span", { class: "dkd-muted", role: "status" });
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { class: "dkd-button", title, onclick }, text);
  const undo = button("Undo", "Take the last change back", () => run.undo());
  const reset = button("Undo all", "Run without any change", () => run.reset());
  const update = () => {
    const { list } = run;
    const last = list.at(-1);
    undo.disabled = reset.disabled = !last;
    said.textContent = last ? `${list.length} ${list.length === 1 ? "change" : "changes"}; last: ${inWords(last)}` : "";
  };
  update();
  const label = h("span", {}, "What you drag over the picture");
  return {
    element: h("div", { class: "dkd-row dkd-live-page-changes" }, label, ...choices, undo, reset, said),
    tool: () => tool,
    update,
  };
}

/** @param {Change} change */
function inWords(change) {
  const { frame } = change;
  if (change.kind === "box") return `a box in frame ${frame}`;
  if (change.kind === "cover")
    return `a part ${change.cover.kind === "blur" ? "blurred" : "covered"} from frame ${frame}`;
  if (change.kind === "call") return change.text;
  const { operation, channels } = change.edits[change.edits.length - 1];
  return `${operation}, channel ${channels.join(", ")}, of the kernels distilled from frame ${frame}`;
}

/**
 * The laboratory's kernel editor: what is edited there is matched in the next frame, and all that follows is tracked
 * again.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Run} run
 * @param {AbortSignal} signal
 */
export function buildKernels(root, store, run, signal) {
  const send = (/** @type {Call[]} */ calls) => {
    const given = calls.map((call) => /** @type {any} */ (call.arguments));
    const edits = given.map(
      ({ operation, channels, amount, values }) =>
        /** @type {KernelEdit} */ ({ operation, channels, amount, values: values?.flat() }),
    );
    if (edits.length) run.change({ kind: "edit", frame: given[0].frames, edits });
  };
  const editor = buildKernelEditor({ root, store, send, changed: () => store.schedule(), signal, atOnce: true });
  let generation = -1;
  store.add(
    {
      needsDetail: true,
      header(header) {
        editor.header(header, header.generation !== generation);
        generation = header.generation;
      },
      paint: (record) => editor.paint(record),
    },
    signal,
  );
  return editor.element;
}
