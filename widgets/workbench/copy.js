// "Copy as Python": the kernel writes the line, the clipboard takes it; where it may not, the line stays to be copied.

import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";

/** @import { Message, Model } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */

const SHOWN_MS = 8000;

/**
 * @param {Model} model
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 */
export function buildCopy(model, cursor, signal) {
  const label = "This view as Python";
  const text = h("input", { type: "text", readonly: true, "aria-label": label, title: label });
  const note = h("span", { class: "dkd-muted" });
  const element = h("div", { class: "dkd-copy", hidden: true, role: "status" }, text, note);
  let timer = 0;
  const hide = () => {
    element.hidden = true;
  };
  const onMessage = async (/** @type {Message} */ content) => {
    if (content.type !== "code") return;
    text.value = content.code;
    element.hidden = false;
    try {
      await navigator.clipboard.writeText(content.code);
      note.textContent = "copied";
    } catch {
      text.select();
      note.textContent = "press Ctrl+C to copy";
    }
    clearTimeout(timer);
    timer = setTimeout(hide, SHOWN_MS);
  };
  listen(model, ["msg:custom"], onMessage, signal);
  signal.addEventListener("abort", () => clearTimeout(timer));
  /** @type {("frame" | "joint" | "layers" | "cell" | "speed")[]} */
  const named = ["frame", "joint", "layers", "cell", "speed"];
  const copy = () =>
    model.send({ type: "code", state: Object.fromEntries(named.map((name) => [name, cursor.get(name)])) });
  return { element, copy };
}
