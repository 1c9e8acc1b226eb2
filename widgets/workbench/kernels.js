// The kernels view: the channels that made a value, and the energy of every joint's kernel.

import { diverging } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells, signLegend } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { readable, signed } from "../core/text.js";
import { jointGrid, markSelected } from "../core/tiles.js";

const ROWS = 6;

function buildKernels(root, store, cursor) {
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const what = h("div", { class: "dkd-where" });
  const scales = h("div", { class: "dkd-muted dkd-scales" });
  const none = h("p", { hidden: true });
  const NONE_YET =
    "Frame 0 has no kernels to show: the pose initializer finds the joints, " +
    "and the first kernels are distilled from it for frame 1.";
  const STARTED_ANEW =
    "In this frame the track was lost and the model started anew: the pose initializer found the joints, " +
    "and the next kernels are distilled from it for the frame after.";
  const NONE_AT_ALL = "This model has no kernels: it finds the joints in each frame on its own.";
  const rows = Array.from({ length: ROWS }, () => {
    const parts = {
      channel: h("span"),
      patch: h("canvas", { class: "dkd-cells" }),
      kernel: h("canvas", { class: "dkd-cells" }),
      bar: h("i"),
      value: h("b"),
    };
    parts.element = h(
      "div",
      { class: "dkd-channel", role: "row" },
      parts.channel,
      parts.patch,
      h("span", { class: "dkd-op" }, "×"),
      parts.kernel,
      h("span", { class: "dkd-op" }, "→"),
      h("span", { class: "dkd-contribution" }, parts.bar),
      parts.value,
    );
    return parts;
  });
  const heads = h(
    "div",
    { class: "dkd-channel dkd-heads", role: "row" },
    h("span", {}, "channel"),
    h("span", {}, "features"),
    h("span"),
    h("span", {}, "kernel"),
    h("span"),
    h("span", {}, "contribution"),
    h("span"),
  );
  const list = h(
    "div",
    { class: "dkd-channels", role: "table", "aria-label": "Channels that contribute most" },
    heads,
    ...rows.map((r) => r.element),
  );
  const energyNote = h("div", { class: "dkd-where" });
  const smalls = h("div", { class: "dkd-smalls" });
  root.append(
    h(
      "div",
      { class: "dkd-panel" },
      h("header", {}, title, note),
      h(
        "div",
        { class: "dkd-body" },
        h("div", { class: "dkd-rows" }, what, none, list, scales),
        h("div", {}, energyNote, smalls),
      ),
    ),
  );
  let tiles = [];

  return {
    needsDetail: true,
    header(header) {
      const grid = jointGrid(header, cursor, "kernel energy");
      tiles = grid.tiles;
      smalls.replaceChildren(grid.element);
    },
    paint(record) {
      const { header } = store;
      const selected = store.joint();
      title.textContent = `Kernels · ${readable(header.joints[selected])}`;
      const empty = header.initial.has(record.frame) || !header.channels;
      note.textContent = !empty
        ? `distilled from frame ${record.frame - 1}, matched in frame ${record.frame}`
        : "";
      none.textContent = !header.channels ? NONE_AT_ALL : record.frame ? STARTED_ANEW : NONE_YET;
      none.hidden = !empty;
      list.hidden = scales.hidden = energyNote.hidden = smalls.hidden = what.hidden = empty;
      markSelected(tiles, selected);
      const { x, y, why } = store.cell();
      const where = { pointer: "cell under the pointer", pinned: "pinned cell", peak: "peak" }[why];
      what.replaceChildren("Strongest channels", h("span", { class: "dkd-muted" }, ` at the ${where} (${x}, ${y})`));
      root.dataset.frame = record.frame;
      if (empty) return;
      paintEnergy(record);
      const result = store.explain(selected, x, y);
      list.classList.toggle("dkd-stale", !result);
      if (result) paintRows(result);
    },
  };

  function paintRows(result) {
    const side = store.header.kernel;
    const parts = result.parts.slice(0, ROWS);
    const largest = (name) => Math.max(...parts.map((p) => Math.max(...p[name].map(Math.abs)))) || 1;
    const [patchMax, kernelMax] = [largest("patch"), largest("kernel")];
    const contributionMax = Math.abs(parts[0].contribution) || 1;
    rows.forEach((row, i) => {
      const part = parts[i];
      row.element.hidden = !part;
      if (!part) return;
      row.channel.textContent = part.channel;
      paintCells(row.patch, side, side, part.patch, (v) => diverging(v / patchMax));
      paintCells(row.kernel, side, side, part.kernel, (v) => diverging(v / kernelMax));
      const share = part.contribution / contributionMax;
      row.bar.style.width = `${50 * Math.abs(share)}%`;
      row.bar.style.left = `${share < 0 ? 50 - 50 * Math.abs(share) : 50}%`;
      row.bar.className = share < 0 ? "dkd-negative" : "dkd-positive";
      row.value.textContent = signed(part.contribution);
      row.element.setAttribute("aria-label", `channel ${part.channel}: ${signed(part.contribution)}`);
    });
    scales.replaceChildren(
      signLegend(),
      ` features ±${patchMax.toPrecision(2)} · kernel U·K ±${kernelMax.toPrecision(2)}`,
    );
  }

  // The energy of each joint's effective kernel: sqrt(Σ_c (U[j,c] K[c])²), a cell each.
  function paintEnergy(record) {
    const { channels, kernel: side, readout } = store.header;
    const area = side * side;
    const energies = tiles.map(({ joint }) => {
      const energy = new Float32Array(area);
      for (let c = 0; c < channels; c++) {
        const weight = readout[joint * channels + c] * record.kernel_scale;
        for (let i = 0; i < area; i++) energy[i] += (weight * record.kernels[c * area + i]) ** 2;
      }
      return energy.map(Math.sqrt);
    });
    const largest = Math.max(...energies.map((e) => Math.max(...e))) || 1;
    tiles.forEach(({ canvas }, i) => paintCells(canvas, side, side, energies[i], (v) => diverging(v / largest)));
    energyNote.replaceChildren(
      "Energy of every joint's kernel",
      h("span", { class: "dkd-muted" }, ` 0 to ${largest.toPrecision(2)}`),
    );
  }
}

export default {
  render: async (context) => {
    await mount(context, "kernels", "Kernels", buildKernels);
  },
};
