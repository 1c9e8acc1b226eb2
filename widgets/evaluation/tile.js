// One moment of the gallery: its picture, and what went wrong in words.

import { h } from "../core/dom.js";
import { readable } from "../core/text.js";

/** @import { Item } from "./moments.js" */

/**
 * @typedef {object} Given
 * @property {string} unit what errors are shares of
 * @property {string} opened key of the item that the workbench shows
 * @property {string | null} focused key of the tile that Tab goes to
 * @property {(key: string) => void} open
 * @property {(key: string) => string | undefined} url address of an item's picture
 */

const SIDE = 224; // pixels of a picture

/** @param {number | null} share */
const percent = (share) => (share === null ? "no position" : `${(100 * share).toFixed(0)} %`);

/**
 * The whole in words; what is seen on the tile is its name.
 * @param {Item} item
 * @param {string} unit
 */
export function tileLabel(item, unit) {
  const hidden = item.visibility === "hidden" ? " (hidden)" : "";
  const score = item.score === null ? "" : `, score ${item.score.toFixed(2)}`;
  const bad = item.run > 1 ? `, bad for ${item.run} frames` : "";
  const error = `${percent(item.error)} of the ${unit}`;
  return (
    `${readable(item.joint)}${hidden}: ${error}, ${item.kind}; ${item.model}, ${item.data}, ` +
    `${item.video} · frame ${item.frame}${score}${bad}; labels: ${item.labels}`
  );
}

/**
 * @param {Item} item
 * @param {Given} given
 */
export function buildTile(item, { unit, opened, focused, open, url }) {
  const label = tileLabel(item, unit);
  const facts = [item.visibility === "hidden" && "hidden", item.kind, item.run > 1 && `${item.run} frames`];
  const button = h(
    "button",
    {
      class: "dkd-moment",
      title: label,
      tabindex: item.key === focused ? "0" : "-1",
      "aria-current": item.key === opened ? "true" : undefined,
      onclick: () => open(item.key),
    },
    h("img", { src: url(item.key), alt: "", width: SIDE, height: SIDE }),
    h("span", { class: "dkd-moment-joint" }, h("b", {}, readable(item.joint)), h("b", {}, percent(item.error))),
    h("span", {}, facts.filter(Boolean).join(" · ")),
    h("span", {}, `${item.video} · frame ${item.frame}`),
    h("span", { class: "dkd-moment-method" }, ...item.model.split(/(?=\+)/).flatMap((part) => [part, h("wbr")])),
    item.labels.includes("machine") ? h("span", { class: "dkd-machine" }, "machine labels") : "",
  );
  const { key, error, frame, joint } = item;
  Object.assign(button.dataset, { key, error: String(error), frame: String(frame), joint });
  return button;
}
