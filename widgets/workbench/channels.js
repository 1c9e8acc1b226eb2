// The channels that contribute most to a value: features × kernel → contribution, one row per channel.

import { diverging } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells, signLegend } from "../core/drawing.js";
import { signed } from "../core/text.js";

/** @import { Explanation, Header } from "../core/types.d.ts" */

const ROWS = 6;

function buildRow() {
  const channel = h("span", { role: "cell" });
  const patch = h("canvas", { class: "dkd-cells", role: "cell", "aria-label": "features" });
  const kernel = h("canvas", { class: "dkd-cells", role: "cell", "aria-label": "kernel" });
  const bar = h("i");
  const value = h("b", { role: "cell" });
  const element = h(
    "div",
    { class: "dkd-channel", role: "row" },
    channel,
    patch,
    h("span", { class: "dkd-op", "aria-hidden": "true" }, "×"),
    kernel,
    h("span", { class: "dkd-op", "aria-hidden": "true" }, "→"),
    h("span", { class: "dkd-contribution", "aria-hidden": "true" }, bar),
    value,
  );
  return { element, channel, patch, kernel, bar, value };
}

export function buildChannels() {
  const rows = Array.from({ length: ROWS }, buildRow);
  const names = ["channel", "features", "", "kernel", "", "contribution", ""];
  const head = (/** @type {string} */ name) =>
    h("span", name ? { role: "columnheader" } : { "aria-hidden": "true" }, name);
  const heads = h("div", { class: "dkd-channel dkd-heads", role: "row" }, ...names.map(head));
  const list = h(
    "div",
    { class: "dkd-channels", role: "table", "aria-label": "Channels that contribute most" },
    heads,
    ...rows.map((row) => row.element),
  );
  const scales = h("div", { class: "dkd-muted dkd-scales" });

  return {
    list,
    scales,
    /**
     * @param {Header} header
     * @param {Explanation | null} result null while it is not known: the old numbers stay, paled
     */
    paint({ kernel: side }, result) {
      list.classList.toggle("dkd-stale", !result);
      if (!result) return;
      const parts = result.parts.slice(0, ROWS);
      const largest = (/** @type {"patch" | "kernel"} */ name) =>
        Math.max(...parts.map((part) => Math.max(...part[name].map(Math.abs)))) || 1;
      const [patchMax, kernelMax] = [largest("patch"), largest("kernel")];
      const contributionMax = Math.abs(parts[0].contribution) || 1;
      rows.forEach((row, i) => {
        const part = parts[i];
        row.element.hidden = !part;
        if (!part) return;
        row.channel.textContent = String(part.channel);
        paintCells(row.patch, side, side, part.patch, (v) => diverging(v / patchMax));
        paintCells(row.kernel, side, side, part.kernel, (v) => diverging(v / kernelMax));
        const share = part.contribution / contributionMax;
        row.bar.style.width = `${50 * Math.abs(share)}%`;
        row.bar.style.left = `${share < 0 ? 50 - 50 * Math.abs(share) : 50}%`;
        row.bar.className = share < 0 ? "dkd-negative" : "dkd-positive";
        row.value.textContent = signed(part.contribution);
        row.element.setAttribute("aria-label", `channel ${part.channel}: ${signed(part.contribution)}`);
      });
      const ranges = ` features ±${patchMax.toPrecision(2)} · kernel U·K ±${kernelMax.toPrecision(2)}`;
      scales.replaceChildren(signLegend(), ranges);
    },
  };
}
