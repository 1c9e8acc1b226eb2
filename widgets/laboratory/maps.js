// The selected joint's map in both runs, and the difference between them. A part of the laboratory.

/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */

import { diverging, viridis } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { fitted, mapColours, paintCells, paintMap, signLegend } from "../core/drawing.js";
import { plain, readable } from "../core/text.js";
import { isDark } from "../core/theme.js";
import { colourBar, place } from "../core/tiles.js";
import { difference, mapValues, whereLargest } from "./difference.js";

const SIGNED = 0.15; // cells that differ by at least this share of the limit bear their sign
const UNKNOWN = [136, 136, 136]; // outside the first run's square

/**
 * The three maps side by side.
 *
 * @param {Store} store of the original run
 * @param {Store} other of the run with interventions
 * @param {AbortSignal} signal
 */
export function buildMaps(store, other, signal) {
  const original = buildMap("original", "original", colourBar());
  const whatIf = buildMap("what-if", "what if", colourBar());
  const apart = buildDifference(() => other.schedule(), signal);
  const title = h("h3");
  const note = h("span", { class: "dkd-muted", role: "status" });
  const element = h(
    "div",
    { class: "dkd-panel dkd-lab-maps" },
    h("header", {}, title, note),
    h("div", { class: "dkd-lab-three" }, original.figure, apart.figure, whatIf.figure),
  );
  /** @type {Uint32Array | null} */
  let opaque = null; // the colours of a map's bytes

  return {
    element,
    /** @param {Header} header */
    header(header) {
      opaque = mapColours(header);
    },
    /**
     * Paint one run's map: out of the record, or a preview of it.
     *
     * @param {FrameRecord} record
     * @param {boolean} isOther whether it is of the run with interventions
     * @param {Float64Array | null} preview
     */
    paint(record, isOther, preview) {
      const of = isOther ? other : store;
      const { header } = of;
      if (!header || !opaque) return;
      const joint = of.joint();
      const { canvas, peak, caption } = isOther ? whatIf : original;
      if (preview) paintCells(canvas, ...header.map, preview, viridis);
      else paintMap(canvas, header, record, joint, opaque);
      const [x, y] = preview ? peakOf(preview, header.map) : jointCell(record, joint, header.map);
      place(peak, x, y, header.map);
      const name = readable(header.joints[joint]);
      title.textContent = `Heatmap · ${name}`;
      const high = preview ? Math.max(...preview) : record.scores[joint];
      const edited = header.at_joints ? "with your edits, before the kernels at the joint" : "with your edits";
      const which = preview ? edited : isOther ? "what if" : "original";
      caption.textContent = `${which} · peak ${plain(high, 2)}`;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Heatmap of the ${name}, ${caption.textContent}`);
    },
    /**
     * Paint the difference, in the cells of the second run.
     *
     * @param {FrameRecord} first
     * @param {FrameRecord} second
     * @param {Float64Array | null} preview of the second
     */
    compare(first, second, preview) {
      if (!store.header || !other.header) return;
      const joint = other.joint();
      const values = preview ?? mapValues(other.header, second, joint);
      const found = difference(
        { values: mapValues(store.header, first, joint), square: first.crop },
        { values, square: second.crop },
        other.header.map,
      );
      apart.paint(found, other.header.map);
      note.textContent = whereLargest(found, other.header.map[0]);
      Object.assign(apart.canvas.dataset, { frame: second.frame, limit: found.limit });
    },
    /** @param {number} version of the edits that are painted, for tests */
    versionPainted(version) {
      whatIf.canvas.dataset.version = String(version);
    },
  };
}

/**
 * The x, y of the largest cell of a map.
 *
 * @param {Float64Array} map
 * @param {[number, number]} size
 */
function peakOf(map, [width]) {
  const at = map.indexOf(Math.max(...map));
  return [at % width, Math.floor(at / width)];
}

/**
 * Where a joint lies in its map, in cells.
 *
 * @param {FrameRecord} record
 * @param {number} joint
 * @param {[number, number]} size
 */
function jointCell({ crop: [left, top, side], joints }, joint, size) {
  return [left, top].map((corner, k) => ((joints[2 * joint + k] + 0.5 - corner) * size[k]) / side - 0.5);
}

/**
 * @param {string} name for the style sheet
 * @param {string} label
 * @param {Node[]} below
 */
function buildMap(name, label, ...below) {
  const canvas = h("canvas", { class: "dkd-cells" });
  const peak = h("span", { class: "dkd-mark dkd-peak", hidden: true });
  const caption = h("figcaption", {}, label);
  const figure = h("figure", { class: `dkd-lab-map dkd-lab-${name}` }, caption, h("div", {}, canvas, peak), ...below);
  return { canvas, peak, caption, figure };
}

/**
 * @param {() => void} changed asks for a new painting
 * @param {AbortSignal} signal
 */
function buildDifference(changed, signal) {
  const title = "Purple and −: lower than in the original; green and +: higher";
  const legend = h("div", { class: "dkd-muted dkd-lab-scale", title });
  const { canvas, figure } = buildMap("difference", "what if − original", legend);
  const signs = h("canvas", { class: "dkd-lab-signs", role: "img" });
  canvas.setAttribute("aria-hidden", "true");
  canvas.after(signs);
  const measure = fitted(signs, signal, changed);
  return {
    canvas,
    figure,
    /** @type {(found: ReturnType<typeof difference>, size: [number, number]) => void} */
    paint(found, [width, height]) {
      const { apart, limit } = found;
      paintCells(canvas, width, height, apart, (v) => (Number.isNaN(v) ? UNKNOWN : diverging(v / limit)));
      const context = context2d(signs);
      drawSigns(context, measure(), apart, limit, [width, height]);
      signs.setAttribute("aria-label", `Difference of the heatmaps: ${whereLargest(found, width)}`);
      const outside = apart.some(Number.isNaN) ? " · grey: outside the original’s square" : "";
      legend.replaceChildren(signLegend(), ` ±${limit}`, outside);
    },
  };
}

/**
 * Plus and minus in the cells that differ: the sign is read without colour.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} area in CSS pixels
 * @param {Float32Array} apart
 * @param {number} limit
 * @param {[number, number]} size in cells
 */
function drawSigns(context, [width, height], apart, limit, [columns, rows]) {
  context.clearRect(0, 0, width, height);
  const [cw, ch] = [width / columns, height / rows];
  const arm = Math.max(1, Math.min(cw, ch) * 0.22);
  Object.assign(context, { strokeStyle: isDark() ? "#fff" : "#000", lineWidth: 1 });
  context.beginPath();
  apart.forEach((value, i) => {
    if (!(Math.abs(value) >= SIGNED * limit)) return;
    const [x, y] = [((i % columns) + 0.5) * cw, (Math.floor(i / columns) + 0.5) * ch];
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    if (value < 0) return;
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  });
  context.stroke();
}
