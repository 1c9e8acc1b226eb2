// What can be taken away: the list as a file, and Python code that returns the same tables. Python makes both.

import { downloadText } from "../core/clipboard.js";

/** @import { DebuggerState } from "./state.js" */
/** @typedef {"csv" | "json"} Format */

/** @type {Record<Format, string>} */
const TYPES = { csv: "text/csv", json: "application/json" };

/**
 * Ask for the moments that the filters let through, as a file.
 * @param {DebuggerState} state
 * @param {Format} format
 */
export function askFile(state, format) {
  const filter = { joint: state.listJoint, reason: state.choice.reason || null };
  if (state.ask({ type: "export", format, ...filter })) state.page.say("asking the kernel …");
}

/**
 * Ask for code that opens this view as it is.
 * @param {DebuggerState} state
 */
export function askCode(state) {
  const { cursor } = state;
  const place = { frame: cursor.get("frame"), joint: cursor.get("joint"), range: cursor.get("range") };
  const filters = { list_joint: state.listJoint, figures_joint: state.figuresJoint, reason: state.choice.reason };
  state.ask({ type: "code", state: { ...place, ...filters } });
}

/**
 * Save the file that was asked for.
 * @param {DebuggerState} state
 * @param {Format} format
 * @param {string} text
 */
export function saveFile({ page }, format, text) {
  downloadText(text, `moments.${format}`, TYPES[format]);
  page.say(`saved as moments.${format}`);
}

/**
 * Copy the code that was asked for; where the browser forbids it, the page shows it selected.
 * @param {DebuggerState} state
 * @param {string} text
 */
export async function copyCode({ page }, text) {
  page.say((await page.copy(text)) ? "copied" : "press Ctrl-C to copy");
}
