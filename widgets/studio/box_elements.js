// The elements of boxes over the picture.

import { h } from "../core/dom.js";
import { CORNERS } from "./box.js";

/**
 * @param {number} key
 * @param {(event: KeyboardEvent) => void} onkeydown
 */
export const buildPerson = (key, onkeydown) =>
  h(
    "div",
    { class: "dkd-picture-box dkd-picture-box-person", tabindex: 0, role: "group", "data-key": key, onkeydown },
    h("span", { class: "dkd-picture-box-name" }),
    ...CORNERS.map((corner) => h("i", { class: `dkd-grip dkd-grip-${corner}`, "data-grip": corner })),
  );

/**
 * @param {string} number
 * @param {number} confidence
 * @param {() => void} onclick
 */
export function buildProposal(number, confidence, onclick) {
  const sure = confidence.toFixed(2);
  const label = `Person ${number} found here, confidence ${sure}: take this box`;
  const name = h("span", { class: "dkd-picture-box-name" }, sure);
  return h("button", { class: "dkd-picture-box dkd-picture-box-proposal", "aria-label": label, onclick }, name);
}
