// distilled + bias = K̃, for the channel that is followed.

/** @import { FrameTensors, Tensor } from "./tensors.js" */

import { diverging } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { rough } from "./elements.js";
import { largestOf } from "./tensors.js";

export function buildEquation() {
  const terms = ["distilled", "bias", "K̃"].map((label) => {
    const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
    const range = h("small", { class: "dkd-muted" });
    return { canvas, range, element: h("span", { class: "dkd-term-of" }, h("small", {}, label), canvas, range) };
  });
  const [distilled, bias, sum] = terms.map((term) => term.element);
  /** @param {string} sign */
  const operator = (sign) => h("span", { class: "dkd-op" }, sign);
  const parts = [distilled, operator("+"), bias, operator("="), sum];
  const element = h("div", { class: "dkd-equation", role: "img" }, ...parts);
  return {
    element,
    /** @type {(tensors: FrameTensors["tensors"], kernels: Tensor, channel: number, previous: number) => void} */
    paint({ conv3, bias }, kernels, channel, previous) {
      element.hidden = !bias || !conv3;
      if (!bias || !conv3) return;
      const [, height, width] = kernels.shape;
      const pictures = [conv3, bias, kernels].map((tensor) => tensor.values(channel));
      const largest = Math.max(...pictures.map(largestOf));
      pictures.forEach((values, i) => {
        paintCells(terms[i].canvas, width, height, values, (v) => diverging(v / largest));
        terms[i].range.textContent = `±${rough(largestOf(values))}`;
      });
      element.dataset.channel = String(channel);
      element.title =
        `Channel ${channel}: the part distilled from frame ${previous} plus the learned bias, which is the same ` +
        "in all frames, is the kernel; one scale";
      element.setAttribute("aria-label", element.title);
    },
  };
}
