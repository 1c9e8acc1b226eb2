// The boxes of the pipeline: a name, a shape, a range, and small multiples of the tensor.

/** @import { Tensor } from "./tensors.js" */

import { diverging, viridis } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { rough } from "./elements.js";
import { largestOf, PICKS } from "./tensors.js";

/**
 * A box of the pipeline with a name, a shape and a range.
 *
 * @param {string} name
 * @param {...Node} children
 */
export function namedBox(name, ...children) {
  const title = h("strong");
  const shape = h("small");
  const box = { class: `dkd-box dkd-box-${name}`, role: "group", "aria-label": name };
  const element = h("div", box, title, shape, ...children);
  return {
    element,
    /** @type {(words: (string | Node)[], sizes: number[], range: [number, number]) => void} */
    say(words, sizes, [low, high]) {
      title.replaceChildren(...words);
      shape.textContent = `${sizes.join("×")} · ${rough(low)} to ${rough(high)}`;
      element.setAttribute("aria-label", `${title.textContent}, ${shape.textContent}`);
    },
  };
}

/**
 * What a box shows of a tensor.
 *
 * @typedef {object} Picks
 * @property {Tensor} tensor
 * @property {number[]} channels at most PICKS
 * @property {number} [selected] the channel that is followed
 * @property {(channel: number) => string} [describe] for the tooltip
 * @property {(channel: number) => string} [label] under the picture; the channel's number by default
 * @property {string} [note]
 * @property {{ values: Float32Array, label: string }} [extra] a joint's map after the channels, as one more picture
 */

/**
 * A box with small multiples of a tensor, which are buttons where a channel can be chosen.
 *
 * @param {string} name
 * @param {(channel: number) => void} [choose]
 */
export function tensorBox(name, choose) {
  const tiles = Array.from({ length: PICKS }, () => buildTile(name, choose));
  const grid = h("div", { class: "dkd-tiles" }, ...tiles.map((tile) => tile.element));
  const more = h("small", { class: "dkd-muted" });
  const box = namedBox(name, grid, more);
  return {
    ...box,
    /** @param {Picks} picks */
    paint(picks) {
      const { tensor, channels, note, extra } = picks;
      const [total, height, width] = tensor.shape;
      const pictures = channels.map((c) => tensor.values(c));
      const largest = Math.max(...pictures.map(largestOf));
      tiles.forEach((tile, i) => {
        const isExtra = extra !== undefined && i === channels.length;
        tile.element.hidden = i >= channels.length && !isExtra;
        if (isExtra) tile.paintMap(extra, [width, height]);
        else if (i < channels.length) tile.paintChannel(channels[i], picks, pictures[i], largest);
      });
      const rest = total - channels.length;
      more.textContent = [rest > 0 ? `… ${rest} more` : "", note ?? ""].filter(Boolean).join("; ");
    },
  };
}

/** @type {(name: string, choose?: (channel: number) => void) => Tile} */
function buildTile(name, choose) {
  const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
  const under = h("span");
  const parts = [h("span", { class: "dkd-tile-frame" }, canvas), under];
  const element = choose
    ? h("button", { class: "dkd-tile", onclick: () => void choose(Number(element.dataset.channel)) }, ...parts)
    : h("span", { class: "dkd-tile", role: "img" }, ...parts);
  return {
    element,
    paintMap({ values, label }, [width, height]) {
      paintCells(canvas, width, height, values, viridis);
      under.textContent = label;
      element.title = `${label}: the joint’s map, one of those stacked on the features`;
      element.setAttribute("aria-label", element.title);
    },
    paintChannel(channel, { tensor, selected, describe, label }, values, largest) {
      const [, height, width] = tensor.shape;
      paintCells(canvas, width, height, values, (v) => diverging(v / largest));
      under.textContent = label ? label(channel) : String(channel);
      element.dataset.channel = String(channel);
      element.title = `channel ${channel}${describe ? `: ${describe(channel)}` : ""}`;
      element.setAttribute("aria-label", `${name}, ${element.title}${label ? `, ${label(channel)}` : ""}`);
      if (choose) element.setAttribute("aria-pressed", String(channel === selected));
    },
  };
}

/**
 * @typedef {object} Tile
 * @property {HTMLElement} element
 * @property {(extra: { values: Float32Array, label: string }, size: [number, number]) => void} paintMap
 * @property {(channel: number, picks: Picks, values: Float32Array, largest: number) => void} paintChannel
 */
