// The buttons below the list, and the note that says what they did.

import { h } from "../core/dom.js";
import { askCode, askFile } from "./exports.js";

/** @import { DebuggerState } from "./state.js" */

const SAID_MS = 4000;

/**
 * A line that says what has just happened, for a while.
 * @param {AbortSignal} signal
 */
export function passingNote(signal) {
  const element = h("span", { class: "dkd-muted", role: "status" });
  let clock = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  signal.addEventListener("abort", () => clearTimeout(clock));
  return {
    element,
    /** @param {string} text */
    say(text) {
      element.textContent = text;
      clearTimeout(clock);
      clock = setTimeout(() => element.replaceChildren(), SAID_MS);
    },
  };
}

/**
 * The buttons below the list.
 * @param {DebuggerState} state
 * @param {HTMLElement} note
 */
export function exportsBar(state, note) {
  const button = (/** @type {string} */ label, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { class: "dkd-button", title, onclick }, label);
  if (state.isRecorded) return h("div", { class: "dkd-results-bar" }, note);
  return h(
    "div",
    { class: "dkd-results-bar" },
    button("CSV", "Save the moments of this list as a CSV file", () => askFile(state, "csv")),
    button("JSON", "Save the moments of this list as a JSON file", () => askFile(state, "json")),
    button("copy as Python", "Copy Python code that opens this view and returns these tables", () => askCode(state)),
    note,
  );
}
