// The matching view: the selected joint's map large, the arithmetic of one cell, all joints' maps small.

import { context2d, h } from "../core/dom.js";
import { fitted, mapColours, paintMap } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { clamp, numberOf, REFINED, readable, withShort } from "../core/text.js";
import { colourBar, jointGrid, markSelected, place } from "../core/tiles.js";
import { buildSum } from "./sum.js";

/** @import { Context, FrameRecord } from "../core/types.d.ts" */
/** @import { Build } from "../core/mount.js" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Tile } from "../core/tiles.js" */

const GLASS = 175; // opacity of the large map over the picture, 0..255
const OUTSIDE = "#808080"; // what lies outside the frame is grey to the network, too

/** @type {Build} */
function buildMatching(root, store, cursor, signal) {
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const overPerson = h("input", { type: "checkbox", checked: true, onchange: () => store.schedule() });
  const toggle = h(
    "label",
    { class: "dkd-check", title: "Show the map over the picture that the network saw" },
    overPerson,
    "over picture",
  );
  const large = buildLarge(store, cursor, signal);
  const sum = buildSum(store);
  const smalls = h("div", { class: "dkd-smalls" });
  const nothing = h("p", { hidden: true }, "This is a track of another tool: a file with joints, but without maps.");
  const column = h("div", { class: "dkd-large-column" }, large.element, colourBar());
  const split = h("div", { class: "dkd-split" }, column, sum.element);
  root.append(
    h(
      "div",
      { class: "dkd-panel" },
      h("header", {}, title, note, toggle),
      h("div", { class: "dkd-body" }, nothing, split, smalls),
    ),
  );
  /** @type {Tile[]} */
  let tiles = [];
  let opaque = new Uint32Array(); // the maps' colours, and the same to see the picture through
  let glassy = new Uint32Array();

  return {
    needsDetail: true,
    header(header) {
      root.style.setProperty("--dkd-pixel-aspect", String(header.pixel_aspect));
      opaque = mapColours(header);
      glassy = mapColours(header, () => GLASS);
      const grid = jointGrid(header, cursor, "heatmap");
      tiles = grid.tiles;
      smalls.replaceChildren(grid.element);
      nothing.hidden = !header.is_track;
      for (const part of [split, smalls, toggle]) part.hidden = header.is_track;
    },
    paint(record, bitmap) {
      const { header } = store;
      const selected = store.joint();
      title.textContent = `Matching · ${readable(header.joints[selected])}`;
      const isMoved = header.refined && record.previous !== null;
      note.textContent = `frame ${numberOf(store.header, record.frame)}${isMoved ? ` · ${REFINED}` : ""}`;
      for (const { joint, canvas, mark, button } of tiles) {
        paintMap(canvas, header, record, joint, opaque);
        place(mark, record.peaks[2 * joint], record.peaks[2 * joint + 1], header.map);
        const peak = record.scores[joint].toFixed(2);
        button.setAttribute("aria-label", `${withShort(header.joints[joint])}: heatmap, peak ${peak}`);
      }
      markSelected(tiles, selected);
      large.paint(record, overPerson.checked ? bitmap : null, overPerson.checked ? glassy : opaque);
      sum.paint(record, selected, store.cell());
      root.dataset.frame = String(record.frame);
    },
  };
}

/**
 * The selected joint's map, with its peak and the cell that is explained.
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 */
function buildLarge(store, cursor, signal) {
  const underlay = h("canvas", { class: "dkd-under" });
  const map = h("canvas", { class: "dkd-cells" });
  const peak = h("span", { class: "dkd-mark dkd-peak" });
  const box = h("span", { class: "dkd-cellbox", hidden: true });
  const element = h(
    "div",
    { class: "dkd-large", title: "Point at a cell to read its arithmetic; click to pin it" },
    underlay,
    map,
    box,
    peak,
  );
  const fit = fitted(underlay, signal, () => store.schedule());

  /** @param {MouseEvent} event @returns {[number, number]} */
  const cellAt = (event) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const [columns, rows] = store.header.map;
    const x = Math.floor(((event.clientX - left) / width) * columns);
    const y = Math.floor(((event.clientY - top) / height) * rows);
    return [clamp(x, 0, columns - 1), clamp(y, 0, rows - 1)];
  };
  element.addEventListener("pointermove", (event) => store.header && store.point(cellAt(event)), { signal });
  element.addEventListener("pointerleave", () => store.point(null), { signal });
  const onClick = (/** @type {MouseEvent} */ event) => {
    const cell = cellAt(event);
    cursor.set("cell", String(cell) === String(cursor.get("cell")) ? null : cell);
  };
  element.addEventListener("click", onClick, { signal });

  // The crop under the map; the style sheet takes its colours away.
  /** @param {FrameRecord} record @param {ImageBitmap} bitmap */
  function drawUnderlay(record, bitmap) {
    const [width, height] = fit();
    const context = context2d(underlay);
    const [left, top, side] = record.crop;
    const [across, down] = [width / side, height / side];
    const { size } = store.header;
    context.fillStyle = OUTSIDE;
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, -left * across, -top * down, size[0] * across, size[1] * down);
  }

  return {
    element,
    /**
     * @param {FrameRecord} record
     * @param {ImageBitmap | null} bitmap the picture under the map, if it is wanted
     * @param {Uint32Array} colours
     */
    paint(record, bitmap, colours) {
      const { header } = store;
      const selected = store.joint();
      paintMap(map, header, record, selected, colours);
      underlay.hidden = !bitmap;
      if (bitmap) drawUnderlay(record, bitmap);
      const [left, top, side] = record.crop;
      const toCell = (/** @type {number} */ k, /** @type {number} */ corner) =>
        ((record.joints[2 * selected + k] + 0.5 - corner) * header.map[k]) / side - 0.5;
      place(peak, toCell(0, left), toCell(1, top), header.map);
      peak.title = header.refined
        ? "The refined joint: the initializer has moved it, by at most 2 cells from the map's peak"
        : "The predicted joint: the map's peak, to a fraction of a cell";
      const { x, y, why } = store.cell();
      box.style.width = `${100 / header.map[0]}%`;
      box.style.height = `${100 / header.map[1]}%`;
      place(box, x, y, header.map);
      box.hidden = why === "peak";
      box.classList.toggle("dkd-pinned", why === "pinned");
    },
  };
}

export default {
  /** @param {Context} context */
  render: async (context) => {
    await mount(context, "matching", "Matching", buildMatching);
  },
};
