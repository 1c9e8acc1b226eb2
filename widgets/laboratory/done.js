// What was done, newest first, with undo, redo, clear and copy. A part of the laboratory.

/** @import { Effect } from "./effect.js" */

import { copyText } from "../core/clipboard.js";
import { h } from "../core/dom.js";

const COPIED_MS = 4000; // how long the note about copying stays

/** @typedef {"undo" | "redo" | "clear"} Act */

/**
 * @param {HTMLElement} root the view
 * @param {(name: Act) => void} act asks the kernel
 */
export function buildDone(root, act) {
  /** @type {(text: string, title: string, onclick: () => void) => HTMLButtonElement} */
  const button = (text, title, onclick) => h("button", { class: "dkd-button", title, onclick }, text);
  const undo = button("Undo", "Undo the last step (Ctrl+Z)", () => act("undo"));
  const redo = button("Redo", "Redo (Ctrl+Shift+Z)", () => act("redo"));
  const clear = button("Clear", "Remove all interventions; this can be undone", () => act("clear"));
  const copied = h("span", { class: "dkd-muted", role: "status" });
  const copy = button("Copy as Python", "The line that makes this run from the original", async () => {
    copied.textContent = (await copyText(code, root)) ? "copied" : "press Ctrl+C to copy";
    setTimeout(() => {
      copied.textContent = "";
    }, COPIED_MS);
  });
  const label = "Interventions, newest first";
  const list = h("ol", { class: "dkd-lab-calls", reversed: true, "aria-label": label, tabindex: 0 });
  const none = h("p", {}, "No interventions yet. Choose one, paint on a kernel, or drag over “What if”.");
  let code = "";
  const element = h(
    "div",
    { class: "dkd-panel dkd-lab-done" },
    h("header", {}, h("h3", {}, "History")),
    none,
    list,
    h("div", { class: "dkd-row" }, undo, redo, clear, copy, copied),
  );
  return {
    element,
    /** @param {Effect} effect */
    update(effect) {
      code = effect.code;
      none.hidden = effect.calls.length > 0;
      list.hidden = !none.hidden;
      const lines = effect.calls.map((call) => h("li", { title: call }, h("code", {}, call)));
      list.replaceChildren(...lines.reverse());
      undo.disabled = !effect.undo;
      redo.disabled = !effect.redo;
      clear.disabled = copy.disabled = !effect.calls.length;
    },
  };
}

/**
 * Whether a key means undo or redo.
 *
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">} event
 * @returns {Act | null}
 */
export function undoKey({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  if (!(ctrlKey || metaKey) || altKey) return null;
  if (key.toLowerCase() === "y") return "redo";
  if (key.toLowerCase() !== "z") return null;
  return shiftKey ? "redo" : "undo";
}

/**
 * Undo and redo by keys, wherever the focus is but in a field, which undoes its own text.
 *
 * @param {HTMLElement} root
 * @param {(name: Act) => void} act
 * @param {AbortSignal} signal
 */
export function listenForUndo(root, act, signal) {
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const name = undoKey(event);
    if (!name) return;
    event.stopPropagation();
    const { target } = event;
    if (target instanceof Element && target.matches("input[type=number], input[type=text], textarea")) return;
    event.preventDefault();
    act(name);
  };
  root.addEventListener("keydown", onKey, { signal });
}
