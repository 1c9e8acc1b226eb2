// How much of a trace is there, below the timeline, while it is being made.

import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";

/** @import { Model } from "../core/types.d.ts" */

/**
 * @param {Model} model
 * @param {AbortSignal} signal
 */
export function buildGrowing(model, signal) {
  const text = h("span", { class: "dkd-muted" });
  const bar = h("progress", { class: "dkd-progress", "aria-label": "Frames traced", max: 1, value: 0 });
  const element = h("div", { class: "dkd-growing", hidden: true }, text, bar);
  const paint = () => {
    const [done = 0, of = 0] = model.get("_growing") ?? [];
    element.hidden = !of;
    bar.max = Math.max(1, of);
    bar.value = done;
    text.textContent = of ? `${done} of ${of} frames are traced; the timeline grows with them` : "";
  };
  listen(model, ["change:_growing"], paint, signal);
  paint();
  return element;
}
