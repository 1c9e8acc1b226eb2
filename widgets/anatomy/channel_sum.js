// How the contributions of all channels add up to the value of the map in a cell. In a model with kernels made at the
// joints, that is the matched map, and what these made of it follows.

/** @import { Explained, Scene } from "./tensors.js" */

import { h } from "../core/dom.js";
import { signed } from "../core/text.js";
import { setBar, symbol } from "./elements.js";
import { largestOf } from "./tensors.js";

const LISTED = 8; // channels that are listed one by one
const REFINED = "The sum is the matched map. A gate then changed it, by what the kernels made at the joint found.";

/**
 * The channels that are listed, and the sum of the others.
 *
 * @param {Explained["parts"]} parts
 */
export function listed(parts) {
  const rest = parts.slice(LISTED);
  const others = rest.reduce((total, part) => total + part.contribution, 0);
  return { top: parts.slice(0, LISTED), others, count: rest.length };
}

/** @param {(channel: number) => void} choose */
export function buildChannelSum(choose) {
  const element = h("div", { class: "dkd-all-channels" });
  return {
    element,
    /** @type {(scene: Pick<Scene, "explained" | "channel" | "frame" | "header">, map: number) => void} */
    paint({ explained: { parts, bias, value }, channel, frame, header }, map) {
      const isRefined = header.at_joints;
      const { top, others, count } = listed(parts);
      const largest = largestOf([...top.map((part) => part.contribution), others, bias]);
      element.replaceChildren(
        h("strong", {}, "All channels"),
        ...top.map((part) => buildChannel(part, largest, part.channel === channel, choose)),
        ...(count ? [buildTerm(`${count} others`, others, largest)] : []),
        buildTerm("bias", bias, largest),
        buildTotal(isRefined ? "sum, matched" : "sum", value, "dkd-result"),
        ...(isRefined ? [buildTotal("kernels at the joint", map - value)] : []),
        buildTotal(h("span", {}, symbol("H", frame), " holds"), map),
        h("small", { class: "dkd-muted" }, isRefined ? REFINED : comparison(Math.abs(value - map))),
      );
    },
  };
}

/** @param {number} difference */
export const comparison = (difference) =>
  difference
    ? `They differ by ${difference.toExponential(0)}: the network adds in another order, in float32.`
    : "They are equal to the last bit.";

/** @type {(label: string, number: number, largest: number) => HTMLElement[]} */
function barOf(label, number, largest) {
  const bar = h("i");
  setBar(bar, number / largest);
  return [h("span", {}, label), h("span", { class: "dkd-contribution" }, bar), h("b", {}, signed(number, 5))];
}

/**
 * @param {Explained["parts"][number]} part
 * @param {number} largest
 * @param {boolean} isFollowed
 * @param {(channel: number) => void} choose
 */
function buildChannel({ channel, contribution }, largest, isFollowed, choose) {
  const properties = {
    class: "dkd-weight",
    "aria-pressed": String(isFollowed),
    title: `Follow channel ${channel}`,
    "aria-label": `channel ${channel}: ${signed(contribution, 5)}`,
    "data-contribution": contribution,
    onclick: () => choose(channel),
  };
  return h("button", properties, ...barOf(`channel ${channel}`, contribution, largest));
}

/** @type {(label: string, number: number, largest: number) => HTMLElement} */
const buildTerm = (label, number, largest) =>
  h("div", { class: "dkd-weight", "data-contribution": number }, ...barOf(label, number, largest));

/** @type {(label: string | Node, number: number, style?: string) => HTMLElement} */
const buildTotal = (label, number, style = "") =>
  h("div", { class: `dkd-weight ${style}` }, h("span", {}, label), h("span"), h("b", {}, signed(number, 5)));
