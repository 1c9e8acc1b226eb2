// "Re-initialise when lost": the kernel follows the person again with or without it, and shows the result in place.

import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";

/** @import { Model } from "../core/types.d.ts" */

/**
 * @param {Model} model
 * @param {AbortSignal} signal
 */
export function buildPolicy(model, signal) {
  const box = h("input", { type: "checkbox", onchange: () => void set(box.checked) });
  const note = h("span", { class: "dkd-muted", role: "status" });
  const label = h(
    "label",
    { class: "dkd-check", title: "Search for the person again where the track is lost; the timeline marks it (R)" },
    box,
    "Re-initialise when lost",
  );
  const set = (/** @type {boolean} */ on) => {
    model.set("reinitialise", on);
    model.save_changes();
  };
  const update = () => {
    box.checked = model.get("reinitialise");
    note.textContent = model.get("_new_starts");
  };
  listen(model, ["change:reinitialise", "change:_new_starts"], update, signal);
  update();
  return { element: h("span", { class: "dkd-policy" }, label, note), toggle: () => set(!model.get("reinitialise")) };
}
