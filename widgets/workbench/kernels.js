// The kernels view: the channels that made a value, and the energy of every joint's kernel.

import { diverging } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { isUnexplained, matchedIn, numberOf, readable, UNEXPLAINED } from "../core/text.js";
import { jointGrid, markSelected } from "../core/tiles.js";
import { buildChannels } from "./channels.js";

/** @import { Context, FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Build } from "../core/mount.js" */
/** @import { Tile } from "../core/tiles.js" */

/** @type {(header: Header, frame: number) => string} */
const noneYet = (header, frame) =>
  `Frame ${numberOf(header, frame)} has no kernels to show: the pose initializer finds the joints, ` +
  `and the first kernels are distilled from it for ${matchedIn(header, frame)}.`;
const REINITIALISED =
  "In this frame the track was lost and the model was re-initialised: the pose initializer found the joints, " +
  "and the next kernels are distilled from it for the frame after.";
const NONE_AT_ALL = "This model has no kernels: it finds the joints in each frame on its own.";
const OF_A_TRACK = "This is a track of another tool: a file with joints and scores, but without kernels.";
/** @type {(header: Header, frame: number) => string} */
function whyNone(header, frame) {
  if (header.is_track) return OF_A_TRACK;
  if (!header.channels) return NONE_AT_ALL;
  return frame === header.origin ? noneYet(header, frame) : REINITIALISED;
}
/** @type {(header: Header, from: number, to: number) => string} */
const fromTo = (header, from, to) =>
  `distilled from frame ${numberOf(header, from)}, matched in frame ${numberOf(header, to)}`;
const WHERE = { pointer: "cell under the pointer", pinned: "pinned cell", peak: "peak" };

/** @type {Build} */
function buildKernels(root, store, cursor) {
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const what = h("div", { class: "dkd-where" });
  const none = h("p", { hidden: true });
  const channels = buildChannels();
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
        h("div", { class: "dkd-rows" }, what, none, channels.list, channels.scales),
        h("div", {}, energyNote, smalls),
      ),
    ),
  );
  /** @type {Tile[]} */
  let tiles = [];

  /** @param {FrameRecord} record */
  function paintEnergy(record) {
    const side = store.header.kernel;
    const energies = tiles.map(({ joint }) => kernelEnergy(store.header, record, joint));
    const largest = Math.max(...energies.map((e) => Math.max(...e))) || 1;
    tiles.forEach(({ canvas }, i) => {
      paintCells(canvas, side, side, energies[i], (v) => diverging(v / largest));
    });
    const range = h("span", { class: "dkd-muted" }, ` 0 to ${largest.toPrecision(2)}`);
    energyNote.replaceChildren("Energy of every joint's kernel", range);
  }

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
      const empty = header.initial.has(record.frame) || !header.channels;
      title.textContent = `Kernels · ${readable(header.joints[selected])}`;
      note.textContent = empty || record.previous === null ? "" : fromTo(header, record.previous, record.frame);
      note.title = note.textContent; // cut off where the panel is narrow
      const isLeftOut = !empty && isUnexplained(header, record.frame);
      none.textContent = isLeftOut ? UNEXPLAINED : whyNone(header, record.frame);
      none.hidden = !empty && !isLeftOut;
      for (const part of [channels.list, channels.scales, what]) part.hidden = empty || isLeftOut;
      for (const part of [energyNote, smalls]) part.hidden = empty;
      markSelected(tiles, selected);
      const { x, y, why } = store.cell();
      const where = h("span", { class: "dkd-muted" }, ` at the ${WHERE[why]} (${x}, ${y})`);
      what.replaceChildren("Strongest channels", where);
      root.dataset.frame = String(record.frame);
      if (empty) return;
      paintEnergy(record);
      if (!isLeftOut) channels.paint(header, store.explain(selected, x, y));
    },
  };
}

/**
 * The energy of a joint's effective kernel, per cell: sqrt(Σ_c (U[j,c] K[c])²).
 * @param {Pick<Header, "channels" | "kernel" | "readout">} header
 * @param {Pick<FrameRecord, "kernels" | "kernel_scale">} record
 * @param {number} joint
 */
export function kernelEnergy({ channels, kernel: side, readout }, record, joint) {
  const area = side * side;
  const energy = new Float32Array(area);
  for (let c = 0; c < channels; c++) {
    const weight = readout[joint * channels + c] * record.kernel_scale;
    for (let i = 0; i < area; i++) energy[i] += (weight * record.kernels[c * area + i]) ** 2;
  }
  return energy.map(Math.sqrt);
}

export default {
  /** @param {Context} context */
  render: async (context) => {
    await mount(context, "kernels", "Kernels", buildKernels);
  },
};
