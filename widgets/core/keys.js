// Keyboard shortcuts: one table, one handler.

import tables from "./tables.json" with { type: "json" };

/** @import { Action, Actions, LayerName, Shortcut } from "./types.d.ts" */
/** @import { CursorState } from "./cursor.js" */
/** @import { Store } from "./store.js" */

/** @type {Shortcut[]} */
export const SHORTCUTS = tables.shortcuts;
export const SPEEDS = tables.speeds;

const ACTIONS = new Map(SHORTCUTS.flatMap(({ keys, action }) => keys.map((key) => [key, action])));

/**
 * Held keys and buttons accelerate: the step after so many repeats, about 30 of them per second.
 * @param {number} repeats
 */
export const acceleration = (repeats) => (repeats < 12 ? 1 : repeats < 30 ? 2 : repeats < 60 ? 4 : 8);

/**
 * What the shortcuts of all views do.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 */
export function actions(root, store, cursor) {
  const jump = (/** @type {number[]} */ list, /** @type {string | number} */ by) => {
    const here = cursor.get("frame");
    const next = Number(by) > 0 ? list.find((t) => t > here) : list.findLast((t) => t < here);
    if (next !== undefined) cursor.seek(next);
  };
  const cycle = (/** @type {string[]} */ list, /** @type {string} */ value, /** @type {number} */ by) =>
    list[(list.indexOf(value) + by + list.length) % list.length];
  /** @satisfies {Actions} */
  const act = {
    "toggle-play": () => cursor.toggle(),
    step: (/** @type {string | number} */ by, repeats = 0) =>
      cursor.step(Number(by) * (Math.abs(Number(by)) < 5 ? acceleration(repeats) : 1)),
    first: () => cursor.seek(0),
    last: () => cursor.seek(cursor.get("n_frames") - 1),
    "go-to": () => /** @type {HTMLInputElement | null} */ (root.querySelector(".dkd-goto"))?.select(),
    slower: () => cursor.set("speed", SPEEDS.findLast((s) => s < cursor.get("speed")) ?? SPEEDS[0]),
    faster: () => cursor.set("speed", SPEEDS.find((s) => s > cursor.get("speed")) ?? SPEEDS[SPEEDS.length - 1]),
    worst: (/** @type {string | number} */ by) => {
      if (store.header) jump(store.header.worst[store.joint()], by);
    },
    start: (/** @type {string | number} */ by) => {
      if (store.header) jump(store.header.starts, by);
    },
    joint: (/** @type {string | number} */ by) =>
      cursor.set("joint", cycle(cursor.get("joint_names"), cursor.get("joint"), Number(by))),
    layer: (/** @type {string | number} */ given) => {
      const name = /** @type {LayerName} */ (given);
      cursor.setLayer(name, !cursor.get("layers")[name]);
    },
    pin: () => {
      if (cursor.get("cell") || !store.shown) return cursor.set("cell", null);
      const { x, y } = store.cell();
      cursor.set("cell", [x, y]);
    },
    clear: () => {
      cursor.set("cell", null);
      cursor.set("range", null);
    },
  };
  return act;
}

/**
 * The action of a key with its argument, `["step", "-5"]`, or undefined. `Ctrl+` (also ⌘) and `Alt+` must be named by
 * the table. With shift held, `Shift+` counts first; some keyboards need it to type the bare key.
 * @param {{ key: string, shiftKey: boolean, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean }} event
 * @returns {string[] | undefined}
 */
export function actionOf({ key: typed, shiftKey, ctrlKey, metaKey, altKey }) {
  const held = `${ctrlKey || metaKey ? "Ctrl+" : ""}${altKey ? "Alt+" : ""}`;
  const key = typed.length === 1 && (held || !shiftKey) ? typed.toLowerCase() : typed; // caps lock
  const action = (shiftKey ? ACTIONS.get(`${held}Shift+${key}`) : undefined) ?? ACTIONS.get(held + key);
  return action?.split(":");
}

/**
 * What a key is for while an element has the focus: "typing" into it, the element's "own", or a "shortcut".
 * @param {Element} target
 * @param {string} key
 */
export function purpose(target, key) {
  if (target.matches("input[type=number], input[type=text], select, textarea")) return "typing";
  const native = target.matches("button, input, summary") && (key === " " || key === "Enter");
  const ownSlider = target.matches("input[type=range]:not(.dkd-slider)") && key.startsWith("Arrow");
  return native || ownSlider || key === "Tab" ? "own" : "shortcut";
}

/**
 * Let the shortcut table act on `root` while it has the focus, and keep the keys from JupyterLab.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 * @param {Actions} more actions of this view alone
 * @returns {Actions}
 */
export function keys(root, store, cursor, signal, more = {}) {
  /** @type {Actions} */
  const act = { ...actions(root, store, cursor), ...more };
  let repeats = 0;
  root.tabIndex = 0;
  root.dataset.lmSuppressShortcuts = "true";
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const kind = purpose(/** @type {Element} */ (event.target), event.key);
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
    if (isPlain && kind === "typing" && event.key === "Escape") root.focus({ preventScroll: true });
    if (kind !== "shortcut") return isPlain ? event.stopPropagation() : undefined;
    const [name, argument = ""] = actionOf(event) ?? [];
    if (!name || !act[name]) return;
    repeats = event.repeat ? repeats + 1 : 0;
    act[name](argument, repeats, event.key);
    event.preventDefault();
    event.stopPropagation();
  };
  root.addEventListener("keydown", onKey, { signal });
  // A click anywhere in the view gives it the focus; JupyterLab would take it for the cell.
  const onPointer = (/** @type {PointerEvent} */ event) => {
    const target = /** @type {Element} */ (event.target);
    if (!target.closest("button, input, select, a, textarea")) root.focus({ preventScroll: true });
  };
  root.addEventListener("pointerdown", onPointer, { signal });
  return act;
}
