// "Re-initialise when lost" and "Refined joints": the kernel follows the person again with or without it, and shows the
// result in place.

import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";
import { REFINED } from "../core/text.js";

/** @import { Model } from "../core/types.d.ts" */

/**
 * @param {Model} model
 * @param {AbortSignal} signal
 */
export function buildPolicy(model, signal) {
  const set = (/** @type {string} */ name, /** @type {boolean} */ on) => {
    model.set(name, on);
    model.save_changes();
  };
  const lost = h("input", { type: "checkbox", onchange: () => void set("reinitialise", lost.checked) });
  const note = h("span", { class: "dkd-muted", role: "status" });
  const refined = h("input", { type: "checkbox", onchange: () => void set("refine", refined.checked) });
  const lostLabel = h(
    "label",
    { class: "dkd-check", title: "Search for the person again where the track is lost; the timeline marks it (R)" },
    lost,
    "Re-initialise when lost",
  );
  const refinedLabel = h(
    "label",
    {
      class: "dkd-check",
      title: "The initializer looks at every frame too, and moves each joint by up to 2 cells; not in the paper",
    },
    refined,
    `${REFINED[0].toUpperCase()}${REFINED.slice(1)}`,
  );
  const update = () => {
    lost.checked = model.get("reinitialise");
    refined.checked = model.get("refine");
    refinedLabel.hidden = !model.get("_can_refine");
    note.textContent = model.get("_new_starts");
  };
  const shown = ["reinitialise", "refine", "_can_refine", "_new_starts"];
  listen(
    model,
    shown.map((name) => `change:${name}`),
    update,
    signal,
  );
  update();
  return {
    element: h("span", { class: "dkd-policy" }, lostLabel, note, refinedLabel),
    toggle: () => set("reinitialise", !model.get("reinitialise")),
  };
}
