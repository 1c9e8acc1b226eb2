// The laboratory's interventions in the page: what is filled in there, as operations of the worker.

import { h } from "../core/dom.js";
import { readable } from "../core/text.js";
import { buildPanel } from "../laboratory/panel.js";

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Form, Step as Call } from "../laboratory/step.js" */
/** @import { Change, Run } from "./run.js" */
/** @import { Operation } from "./types.d.ts" */

/** @param {unknown} value @returns {[number, number]} */
const span = (value) => (Array.isArray(value) ? [value[0], value[1]] : [Number(value), Number(value) + 1]);

/**
 * A call as a change of the run: kernels are those of the run as it is now.
 * @param {Call} call
 * @param {Pick<Run, "steps" | "frames" | "facts">} run
 * @returns {Extract<Change, { kind: "call" }>}
 */
export function changeOf({ name, arguments: given }, run) {
  const frame = (/** @type {unknown} */ value) => {
    const number = Number(value);
    if (run.steps[number]) return number;
    throw new Error(`There is no frame ${value} yet: frames 0 to ${run.steps.length - 1} are tracked.`);
  };
  const joint = (/** @type {unknown} */ value) => run.facts.joints.indexOf(String(value));
  const change = (/** @type {string} */ text, /** @type {number} */ from, /** @type {Operation[]} */ operations) => ({
    kind: /** @type {const} */ ("call"),
    ...{ text, frame: from, operations },
  });
  const put = (/** @type {[number, number]} */ frames, /** @type {number} */ from) =>
    /** @type {Operation} */ ({ kind: "kernels", frames, values: run.steps[from].kernels.slice() });
  if (name === "freeze_kernel") {
    const of = frame(given.frame);
    const frames = given.frames === undefined ? span([0, run.frames.length]) : span(given.frames);
    return change(`kernels of frame ${of} from frame ${frames[0]} on`, frame(frames[0]), [put(frames, of)]);
  }
  if (name === "swap_kernels") {
    const [a, b] = [frame(given.first), frame(given.second)];
    const both = [put([a, a + 1], b), put([b, b + 1], a)];
    return change(`kernels of frames ${a} and ${b} swapped`, Math.min(a, b), both);
  }
  if (name === "swap_readouts") {
    const text = `read-outs of ${readable(String(given.joint))} and ${readable(String(given.other))} swapped`;
    return change(text, 0, [{ kind: "readouts", joints: [joint(given.joint), joint(given.other)] }]);
  }
  if (name === "restart") {
    const at = frame(given.frame);
    return change(`re-initialised in frame ${at}`, at, [{ kind: "restart", frames: [at, at + 1] }]);
  }
  const frames = span(given.frames);
  const from = frame(frames[0]);
  const [dx, dy] = [Number(given.dx ?? 0), Number(given.dy ?? 0)];
  if (name === "shift_box") {
    const scale = Number(given.scale);
    if (!(scale > 0)) throw new Error(`expected a scale above 0, got ${given.scale}`);
    return change(`the square moved in frame ${from}`, from, [{ kind: "square", frames, dx, dy, scale }]);
  }
  if (name !== "change_state") throw new Error(`this page cannot do ${name}`);
  const state = /** @type {"erase" | "swap_sides" | "shift"} */ (given.change);
  const one = given.joint === undefined ? null : joint(given.joint);
  const moved = { dx: Math.round(dx), dy: Math.round(dy) };
  const text = { erase: "erased", swap_sides: "with swapped sides", shift: "shifted" }[state];
  const operation = /** @type {const} */ ({ kind: "state", frames, change: state, joint: one, ...moved });
  return change(`maps of frame ${from} handed on ${text}`, from, [operation]);
}

/**
 * The laboratory's panel: what is applied there changes the run in the page.
 * @param {Form[]} forms
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {Run} run
 * @param {AbortSignal} signal
 */
export function buildCalls(forms, store, cursor, run, signal) {
  const problem = h("p", { class: "dkd-note", role: "alert", hidden: true });
  const send = (/** @type {Call[]} */ calls) => {
    try {
      for (const call of calls) run.change(changeOf(call, run));
      problem.textContent = "";
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
    problem.hidden = !problem.textContent;
  };
  const panel = buildPanel({ forms, others: [], cursor, send });
  panel.element.append(problem);
  store.add({ header: (header) => panel.header(header), paint: ({ frame }) => panel.follow(frame) }, signal);
  return panel.element;
}
