// The checkboxes of the player's layers, and the heatmap's opacity.

import { h } from "../core/dom.js";

/** @import { Header, LayerName } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */

/** @type {[LayerName, string, string][]} */
const LAYERS = [
  ["skeleton", "Skeleton", "S"],
  ["trails", "Trails", "T"],
  ["box", "Box", "B"],
  ["truth", "Truth", "G"],
  ["heatmap", "Heatmap", "H"],
];

/** @param {CursorState} cursor */
export function buildLayers(cursor) {
  const boxes = LAYERS.map(([name, label, key]) => {
    const box = h("input", { type: "checkbox", onchange: () => void cursor.setLayer(name, box.checked) });
    return { name, box, element: h("label", { class: "dkd-check", title: `${label} (${key})` }, box, label) };
  });
  const opacity = h("input", {
    type: "range",
    class: "dkd-opacity",
    min: 0,
    max: 1,
    step: 0.05,
    "aria-label": "Opacity of the heatmap",
    title: "Opacity of the heatmap over the frame",
    oninput: () => void cursor.setLayer("opacity", Number(opacity.value)),
  });
  const labels = boxes.map((box) => box.element);
  return {
    element: h("div", { class: "dkd-layers", role: "group", "aria-label": "Layers" }, ...labels, opacity),
    /** @param {Header} header */
    header({ truth_kind: kind }) {
      const [truth] = boxes.filter(({ name }) => name === "truth");
      truth.element.hidden = !kind;
      truth.element.title = `Labels: ${kind} (G)`;
    },
    paint() {
      const shown = cursor.get("layers");
      for (const { name, box } of boxes) box.checked = shown[name];
      opacity.value = String(shown.opacity);
      opacity.disabled = !shown.heatmap;
    },
  };
}
