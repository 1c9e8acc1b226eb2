// Level 3 of the anatomy: the arithmetic at one cell, in numbers.

/** @import { Scene } from "./tensors.js" */

import { kernelOf, patchAt } from "../core/arithmetic.js";
import { h } from "../core/dom.js";
import { readable, signed } from "../core/text.js";
import { buildChannelSum } from "./channel_sum.js";
import { symbol } from "./elements.js";
import { fillTable } from "./number_table.js";

/**
 * What one channel adds to the map in one cell, step by step.
 *
 * @param {Pick<Scene, "header" | "detail" | "channel" | "cell" | "readout">} scene
 */
export function channelAt({ header, detail, channel, cell, readout }) {
  const patch = patchAt(header, detail, channel, cell.x, cell.y);
  const kernel = kernelOf(detail.kernels, header.kernel, channel);
  const products = Float64Array.from(patch, (p, i) => p * kernel[i]);
  const matched = products.reduce((total, p) => total + p, 0);
  const weight = readout(channel);
  return { patch, kernel, products, matched, weight, contribution: matched * weight };
}

/** @param {{ choose: (channel: number) => void }} links */
export function buildNumbers({ choose }) {
  const where = h("span", { class: "dkd-muted" });
  const tables = { patch: h("table"), kernel: h("table"), products: h("table") };
  const patchTitle = h("span");
  const kernelTitle = h("span");
  const lines = h("div", { class: "dkd-sums" });
  const sum = buildChannelSum(choose);
  /** @type {(title: string | Node, table: Node) => HTMLElement} */
  const named = (title, table) => h("figure", {}, h("figcaption", {}, title), table);
  /** @param {string} sign */
  const operator = (sign) => h("span", { class: "dkd-op" }, sign);
  const row = h(
    "div",
    { class: "dkd-number-tables" },
    named(patchTitle, tables.patch),
    operator("×"),
    named(kernelTitle, tables.kernel),
    operator("="),
    named("products", tables.products),
  );
  const element = h(
    "section",
    { class: "dkd-level dkd-level-3", "aria-label": "3: the arithmetic at one cell" },
    h("h4", {}, "3 · The arithmetic at one cell ", where),
    h("div", { class: "dkd-numbers" }, h("div", { class: "dkd-numbers-left" }, row, lines), sum.element),
  );

  return {
    element,
    /** @param {Scene} scene */
    paint(scene) {
      const { header, channel, cell, explained, frame, joint, data, detail } = scene;
      const { patch, kernel, products, matched, weight, contribution } = channelAt(scene);
      const map = data.maps[(joint * header.map[1] + cell.y) * header.map[0] + cell.x];
      where.textContent = `· (${cell.x}, ${cell.y}), ${cell.why} · channel ${channel}`;
      patchTitle.replaceChildren("V·", symbol("F", frame), " around the cell");
      kernelTitle.replaceChildren(symbol("K̃", detail.previous));
      fillTable(tables.patch, patch, header.kernel);
      fillTable(tables.kernel, kernel, header.kernel);
      fillTable(tables.products, products, header.kernel);
      lines.replaceChildren(
        buildLine(signed(matched, 5), `sum of the ${products.length} products: channel ${channel}, matched`),
        buildLine(`× ${signed(weight, 5)}`, `U[${readable(scene.name)}, ${channel}], the read-out`),
        buildLine(signed(contribution, 5), `what channel ${channel} contributes`, "dkd-result"),
      );
      sum.paint(scene, map);
      const { x, y } = cell;
      Object.assign(element.dataset, { channel, matched, weight, contribution, value: explained.value, map, x, y });
    },
  };
}

/** @type {(number: string, words: string, style?: string) => HTMLElement} */
const buildLine = (number, words, style = "") =>
  h("div", { class: `dkd-sumline ${style}` }, h("b", {}, number), h("span", {}, words));
