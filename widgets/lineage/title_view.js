// The head of the lineage view: which kernels are compared, and whether that is still being computed.

import { h } from "../core/dom.js";
import { readable } from "../core/text.js";
import kernels from "./kernels.json" with { type: "json" };

/** @import { Header } from "../core/types.d.ts" */
/** @import { LineageState } from "./state.js" */

/** @param {LineageState} state */
export function titleView(state) {
  const title = h("h3", {}, "Kernel lineage");
  const note = h("span", { class: "dkd-muted", role: "status" });
  /** @type {HTMLSelectElement} */
  const kernel = h("select", { "aria-label": "Kernel", onchange: () => state.choose("kernel", kernel.value) });
  /** @type {HTMLInputElement} */
  const centred = h("input", { type: "checkbox", onchange: () => state.choose("centred", centred.checked) });
  const choices = [
    h("label", { class: "dkd-check" }, "kernel", kernel),
    h("label", { class: "dkd-lineage-centred" }, centred, "without the clip's mean kernel"),
  ];
  /** How many of the clip's frames are compared, where it is a sample. */
  function sample() {
    const [shown, all] = [state.matrix?.columns.length ?? 0, state.header.n_frames];
    return shown < all ? `${shown} of ${all} frames` : "";
  }

  return {
    element: h("header", {}, title, note, ...choices),
    /**
     * Offer the kernels of a trace; nothing where its model has none.
     * @param {Header} header
     */
    open({ channels, joints }) {
      title.textContent = "Kernel lineage";
      for (const label of choices) label.hidden = !channels;
      const named = joints.map((name) => [name, readable(name)]);
      kernel.replaceChildren(
        ...[...Object.entries(kernels), ...named].map(([value, label]) => h("option", { value }, label)),
      );
    },
    paint() {
      const joint = state.kernelJoint;
      title.textContent = `Kernel lineage · ${joint ? `kernel of the ${readable(joint)}` : kernels.whole}`;
      kernel.value = state.model.get("kernel");
      centred.checked = state.model.get("centred");
      note.textContent = state.failed.has("matrix")
        ? "could not be computed"
        : state.isStale
          ? "computing …"
          : sample();
    },
  };
}
