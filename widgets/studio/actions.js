// What the editor's keys do; its buttons do the same.

import { WHOLE } from "../workbench/place.js";

/** @import { Actions } from "../core/types.d.ts" */
/** @import { Editing } from "./editing.js" */

/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM = 4; // times the whole frame

/** @param {Editing} editing */
export function editorActions(editing) {
  const { store, cursor } = editing;
  const joint = () => store.header.joints[store.joint()];
  const frame = () => cursor.get("frame");
  /** @satisfies {Actions} */
  const act = {
    keypoint: (/** @type {string | number} */ by) => {
      const names = cursor.get("joint_names");
      const next = (names.indexOf(cursor.get("joint")) + Number(by) + names.length) % names.length;
      cursor.set("joint", names[next]);
    },
    nudge: (/** @type {string | number} */ by, _repeats = 0, key = "") => {
      const { shown } = store;
      if (!shown) return;
      const [dx, dy] = WAYS[key].map((way) => way * Number(by));
      if (editing.isBoxing) {
        const [x0, y0, x1, y1] = editing.boxOf(shown);
        editing.box = [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
        return store.schedule();
      }
      const j = store.joint();
      const { joints } = editing.drawn(shown);
      editing.hold(j, [joints[2 * j] + dx, joints[2 * j + 1] + dy], true);
    },
    hide: () => editing.toggleHidden(),
    swap: (/** @type {string | number} */ what) => {
      const [first, last] = editing.range();
      const pair = /^(?:left|right)_(.+)$/.exec(joint())?.[1];
      if (what === "joint" && !pair) return editing.say("Select a joint that has a left and a right one.");
      editing.correct("swap_sides", { first, last, joints: what === "joint" ? pair : null });
    },
    interpolate: () => {
      const ends = between(editing, joint(), frame());
      if (ends) editing.correct("interpolate", { joint: joint(), ...ends });
      else editing.say("Correct the joint in a frame before this one and in one after it; then interpolate.");
    },
    box: () => {
      editing.isBoxing = !editing.isBoxing;
      editing.restarts = false;
      editing.box = null;
      store.schedule();
    },
    edited: (/** @type {string | number} */ by) => {
      const frames = editing.editedFrames();
      const next = Number(by) > 0 ? frames.find((t) => t > frame()) : frames.findLast((t) => t < frame());
      if (next !== undefined) cursor.seek(next);
    },
    uncorrected: () => {
      editing.showsUncorrected = !editing.showsUncorrected;
      store.schedule();
    },
    zoom: () => {
      const { shown } = store;
      const j = store.joint();
      const isWhole = editing.look.zoom.factor === 1;
      if (shown && isWhole) editing.look.zoom = { factor: ZOOM, x: shown.joints[2 * j], y: shown.joints[2 * j + 1] };
      else editing.look.zoom = WHOLE;
      store.schedule();
    },
    bookmark: () => {
      const note = editing.bookmarks.find((one) => one.frame === frame())?.note ?? "";
      editing.noting = frame();
      editing.send({ type: "bookmark", frame: frame(), note });
    },
    person: (/** @type {string | number} */ which, _repeats = 0, key = "") => {
      const names = editing.people.map(({ name }) => name);
      const next = which === "next" ? (names.indexOf(editing.person) + 1) % names.length : Number(key) - 1;
      if (names[next] && names[next] !== editing.person) editing.send({ type: "select", name: names[next] });
    },
    clear: () => {
      editing.isBoxing = editing.restarts = false;
      editing.forget();
      cursor.set("cell", null);
      cursor.set("range", null);
    },
    undo: () => step(editing, "undo"),
    redo: () => step(editing, "redo"),
  };
  return act;
}

/**
 * @param {Editing} editing
 * @param {"undo" | "redo"} type
 */
function step(editing, type) {
  editing.forget();
  editing.send({ type });
}

/**
 * The corrected frames of a joint around a frame, or the two last ones where it is the last; null where there are none.
 * @param {Pick<Editing, "edits">} editing
 * @param {string} joint
 * @param {number} frame
 */
export function between({ edits }, joint, frame) {
  const mine = edits.corrections.filter((one) => one.joint === joint && one.action !== "hidden");
  const frames = [...new Set(mine.flatMap(({ first, last }) => [first, last]))];
  const known = frames.filter((t) => t !== null).sort((a, b) => a - b);
  const before = known.findLast((t) => t <= frame);
  const after = known.find((t) => t > frame);
  if (before !== undefined && after !== undefined) return after - before > 1 ? { first: before, last: after } : null;
  const earlier = known.findLast((t) => t < frame);
  return before === frame && earlier !== undefined && frame - earlier > 1 ? { first: earlier, last: frame } : null;
}

/**
 * What was moved by keys is applied when Alt is released, or when the view loses the focus.
 * @param {HTMLElement} root
 * @param {Editing} editing
 * @param {AbortSignal} signal
 */
export function applyNudges(root, editing, signal) {
  const apply = () => {
    const frame = editing.store.shown?.frame;
    if (editing.isDragged && !editing.isPressed) editing.letGo();
    else if (editing.isBoxing && editing.box && !editing.isPressed && frame !== undefined) editing.setBox(frame);
  };
  root.addEventListener("keyup", (event) => event.key === "Alt" && apply(), { signal });
  root.addEventListener("blur", apply, { signal });
}
