// The panel around the live picture: what one can press and choose, and the lines that say how late it is.

import { h } from "../core/dom.js";
import { REFINED, readable } from "../core/text.js";

/** @import { About, Box, Screen } from "./screen.js" */

/**
 * The middle of the picture, where somebody in front of a webcam stands.
 * @param {readonly [number, number]} size of the frame
 * @returns {Box}
 */
export const middleOf = ([width, height]) => [width / 4, height / 20, (3 * width) / 4, (19 * height) / 20];

/**
 * @param {About & { name: string, model: string, engine: string, refined: boolean }} about
 * @param {Screen} screen
 * @param {{ press: () => void, choose: (joint: number) => void, relook: () => void,
 *   follow: (box: Box | null) => void }} act
 */
export function buildControls(about, screen, act) {
  const state = h("strong", { class: "dkd-live-state", role: "status" });
  const late = h("div", { class: "dkd-live-budget" });
  const counts = h("div", { class: "dkd-live-counts dkd-muted" });
  const toggle = h("button", { class: "dkd-button dkd-live-toggle", onclick: () => act.press() });
  /** @type {HTMLSelectElement} */
  const joint = h(
    "select",
    { "aria-label": "Joint whose heatmap is shown", onchange: () => act.choose(joint.selectedIndex) },
    ...about.joints.map((name) => h("option", { value: name }, readable(name))),
  );
  const heat = h("input", { type: "checkbox", checked: true, onchange: () => act.relook() });
  const search = () => act.follow(null);
  const middle = () => {
    const size = screen.size();
    act.follow(size && middleOf(size));
  };
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { class: "dkd-button", title, onclick }, text);
  const find = [
    button("Search", "Search the person in the whole picture", search),
    button("Middle", "Follow the person in the middle of the picture", middle),
  ];
  const engine = h(
    "span",
    { class: "dkd-muted" },
    [about.model, about.engine, ...(about.refined ? [REFINED] : [])].join(", "),
  );
  const panel = h(
    "div",
    { class: "dkd-panel" },
    h("header", {}, h("h3", {}, about.name), state, engine),
    h("div", { class: "dkd-live-screen" }, screen.canvas),
    h("div", { class: "dkd-row" }, toggle, ...find, joint, h("label", { class: "dkd-check" }, heat, "Heatmap")),
    h("p", { class: "dkd-live-hint" }, "Drag a box around another person to follow them."),
    late,
    counts,
  );
  return { state, late, counts, toggle, find, joint, heat, panel };
}
