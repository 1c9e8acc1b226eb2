// The head of a lesson: what for, how long, how far.

import { h } from "../core/dom.js";
import { hideStill, listen } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { followTheme } from "../core/theme.js";

/** @import { Context } from "../core/types.d.ts" */

/** @param {Context} context */
function render({ model, el, signal }) {
  const { title, purpose, minutes } = model.get("_about");
  const bar = h("progress", { class: "dkd-progress", "aria-label": "Questions answered" });
  const words = h("span", { role: "status" });
  const again = h("button", { class: "dkd-text", onclick: () => model.send({ type: "start over" }) }, "Start over");
  const root = h(
    "section",
    { class: "dkd dkd-lesson", "aria-label": `Lesson: ${title}` },
    h("h2", {}, title),
    h("p", {}, purpose),
    h("div", { class: "dkd-lesson-line" }, h("span", {}, `About ${minutes} minutes`), bar, words, again),
  );
  root.dataset.lmSuppressShortcuts = "true";
  notes(root, model, signal);
  el.append(root);
  followTheme(root, signal);
  hideStill(model, ["change:_counted"], signal);
  const paint = () => {
    const { text, right, of } = model.get("_counted");
    words.textContent = text;
    bar.max = Math.max(1, of);
    bar.value = right;
    for (const part of [bar, words, again]) part.hidden = !of;
  };
  listen(model, ["change:_counted"], paint, signal);
  signal.addEventListener("abort", () => root.remove());
  paint();
}

export default { render };
