// The brush of the kernel editor: the value that the pointer paints.

import { h } from "../core/dom.js";
import { signed } from "../core/text.js";
import { digitsFor } from "./kernel_cells.js";

export function buildBrush() {
  const input = h("input", {
    type: "range",
    class: "dkd-brush",
    step: "any",
    "aria-label": "Value of the brush",
    title: "The value that the pointer paints; with Shift it paints 0",
    oninput: () => say(),
  });
  const words = h("span");
  const say = () => {
    words.textContent = signed(Number(input.value), digitsFor(Number(input.max)));
  };
  return {
    element: h("label", { class: "dkd-kernel-brush" }, "brush", input, words),
    value: () => Number(input.value),
    most: () => Number(input.max),
    /** @param {number} strongest the largest magnitude of the frame's kernels */
    span(strongest) {
      input.min = String(-2 * strongest);
      input.max = String(2 * strongest);
      input.value = String(strongest);
      say();
    },
  };
}
