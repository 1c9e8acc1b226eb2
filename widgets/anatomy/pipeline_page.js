// The pipeline's boxes and arrows, in two rows: what happens in this frame, and what happened in the frame before.

import { h } from "../core/dom.js";
import { namedBox, tensorBox } from "./boxes.js";
import { buildCellMap } from "./cell_map.js";
import { buildArrow } from "./elements.js";
import { buildEquation } from "./equation.js";
import { buildReadout } from "./readout.js";

/** @typedef {ReturnType<typeof buildPipelinePage>} PipelinePage */

/** @param {{ choose: (channel: number) => void, pin: (x: number, y: number) => void }} links */
export function buildPipelinePage({ choose, pin }) {
  const picture = h("img");
  const looked = h("span", { class: "dkd-cellbox" });
  const map = buildCellMap(pin);
  const equation = buildEquation();
  const bars = buildReadout(choose);
  const boxes = {
    crop: namedBox("crop", h("div", { class: "dkd-large dkd-anatomy-seen" }, picture, looked)),
    features: tensorBox("features"),
    projected: tensorBox("projected", choose),
    matched: tensorBox("matched", choose),
    contributions: tensorBox("contributions", choose),
    map: namedBox("map", map.element),
    before: tensorBox("before"),
    conv1: tensorBox("conv1"),
    conv2: tensorBox("conv2"),
    kernels: tensorBox("kernels", choose),
    readout: namedBox("readout", bars.element),
  };
  boxes.kernels.element.append(equation.element);
  const arrows = {
    encode: buildArrow("encoder"),
    project: buildArrow("V"),
    match: buildArrow("⊛ K̃"),
    weigh: buildArrow("× U"),
    add: buildArrow("Σ + bias"),
    conv1: buildArrow("conv1"),
    conv2: buildArrow("conv2"),
    conv3: buildArrow("conv3"),
    up: buildArrow("slides over V·F", "dkd-up"),
    weights: buildArrow("weigh the channels", "dkd-up dkd-up-weights"),
  };
  const legend = h("div", { class: "dkd-anatomy-legend" });
  const current = h("h5");
  const previous = h("h5");
  const handedOn = h(
    "p",
    { hidden: true },
    "The matched kernels are not those that the distillator makes of the frame before: a control or a feedback of " +
      "this trace hands on other ones.",
  );
  const { distilling, rows } = inRows(boxes, arrows);
  const between = [previous, arrows.up.element, arrows.weights.element];
  const element = h(
    "section",
    { class: "dkd-level dkd-level-1", "aria-label": "1: the pipeline" },
    h("h4", {}, "1 · The pipeline"),
    handedOn,
    h("div", { class: "dkd-flow" }, current, ...rows.current, ...between, ...rows.previous, legend),
  );
  return {
    element,
    picture,
    looked,
    map,
    boxes,
    equation,
    bars,
    arrows,
    legend,
    current,
    previous,
    handedOn,
    distilling,
  };
}

/**
 * Boxes and arrows in the order in which they stand; and those that are there only where kernels are distilled.
 *
 * @param {Record<BoxName, { element: HTMLElement }>} boxes
 * @param {Record<ArrowName, { element: HTMLElement }>} arrows
 */
function inRows(boxes, arrows) {
  const current = [
    boxes.crop,
    arrows.encode,
    boxes.features,
    arrows.project,
    boxes.projected,
    arrows.match,
    boxes.matched,
    arrows.weigh,
    boxes.contributions,
    arrows.add,
    boxes.map,
  ].map((part) => part.element);
  const distilling = [boxes.before, arrows.conv1, boxes.conv1, arrows.conv2, boxes.conv2, arrows.conv3].map(
    (part) => part.element,
  );
  return { distilling, rows: { current, previous: [...distilling, boxes.kernels.element, boxes.readout.element] } };
}

/**
 * @typedef {"crop" | "features" | "projected" | "matched" | "contributions" | "map" | "before" | "conv1" | "conv2"
 *   | "kernels" | "readout"} BoxName
 * @typedef {"encode" | "project" | "match" | "weigh" | "add" | "conv1" | "conv2" | "conv3"} ArrowName
 */
