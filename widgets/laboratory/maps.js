// The selected joint's map in both runs, and the difference between them. A part of the laboratory.

import { diverging, isDark, viridis } from "../core/colours.js";
import { h } from "../core/dom.js";
import { fitted, mapBytes, mapColours, paintCells, paintMap } from "../core/drawing.js";
import { clamp, plain, readable, signed } from "../core/text.js";
import { colourBar, place } from "../core/tiles.js";

const LIMITS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]; // what the difference's colours may span
const SIGNED = 0.15; // cells that differ by this share of the limit bear their sign
const UNKNOWN = [136, 136, 136]; // outside the first run's square

// A joint's map out of a record, as numbers.
function mapValues(header, record, joint) {
  const [low, high] = header.map_range;
  return Float32Array.from(mapBytes(header, record, joint), (byte) => low + ((high - low) * byte) / 255);
}

// What a map, over its square of the frame, is at the cells of another square: bilinear between the cells' centres, NaN
// outside the map. Squares are [left, top, side]; the centre of cell i lies at (i + 0.5) · side / cells.
function resampled(values, [width, height], from, to) {
  const out = new Float32Array(width * height).fill(NaN);
  const along = (cell, cells, k) => (((cell + 0.5) * to[2]) / cells + to[k] - from[k]) * (cells / from[2]) - 0.5;
  const between = (place, cells) => {
    const inside = clamp(place, 0, cells - 1);
    const first = Math.min(Math.floor(inside), cells - 2);
    return [first, inside - first];
  };
  for (let y = 0; y < height; y++) {
    const v = along(y, height, 1);
    if (v < -0.5 || v > height - 0.5) continue;
    const [y0, fy] = between(v, height);
    for (let x = 0; x < width; x++) {
      const u = along(x, width, 0);
      if (u < -0.5 || u > width - 0.5) continue;
      const [x0, fx] = between(u, width);
      const i = y0 * width + x0;
      const [top, bottom] = [i, i + width].map((k) => values[k] * (1 - fx) + values[k + 1] * fx);
      out[y * width + x] = top * (1 - fy) + bottom * fy;
    }
  }
  return out;
}

// Returns {element, header(), paint(record, isOther, preview), compare(first, second, preview)}.
export function buildMaps(root, store, other, cursor, signal) {
  const part = (name, label) => {
    const canvas = h("canvas", { class: "dkd-cells" });
    const peak = h("span", { class: "dkd-mark dkd-peak", hidden: true });
    const caption = h("figcaption", {}, label);
    const figure = h("figure", { class: `dkd-lab-map dkd-lab-${name}` }, caption, h("div", {}, canvas, peak));
    return { canvas, peak, caption, figure };
  };
  const [was, difference, is] = [
    part("was", "as it was"),
    part("difference", "what if − as it was"),
    part("is", "what if"),
  ];
  const signs = h("canvas", { class: "dkd-lab-signs", role: "img" });
  difference.canvas.setAttribute("aria-hidden", "true");
  difference.canvas.after(signs);
  const title = h("h3");
  const note = h("span", { class: "dkd-muted", role: "status" });
  const scale = h("canvas", { class: "dkd-scalebar", "aria-hidden": "true" });
  const legend = h("div", {
    class: "dkd-muted dkd-lab-scale",
    title: "Purple and −: lower than it was; green and +: higher",
  });
  difference.figure.append(legend);
  for (const one of [was, is]) one.figure.append(colourBar());
  const element = h(
    "div",
    { class: "dkd-panel dkd-lab-maps" },
    h("header", {}, title, note),
    h("div", { class: "dkd-lab-three" }, was.figure, difference.figure, is.figure),
  );
  const fit = fitted(signs, signal, () => other.schedule());
  let opaque = null;

  return {
    element,
    header: (header) => (opaque = mapColours(header)),
    paint(record, isOther, preview) {
      const of = isOther ? other : store;
      const { header } = of;
      const joint = of.joint();
      const { canvas, peak, caption } = isOther ? is : was;
      if (preview) paintCells(canvas, ...header.map, preview, viridis);
      else paintMap(canvas, header, record, joint, opaque);
      const at = preview ? preview.indexOf(Math.max(...preview)) : -1;
      const [left, top, side] = record.crop;
      const toCell = (k, corner) => ((record.joints[2 * joint + k] + 0.5 - corner) * header.map[k]) / side - 0.5;
      const [x, y] = preview
        ? [at % header.map[0], Math.floor(at / header.map[0])]
        : [toCell(0, left), toCell(1, top)];
      place(peak, x, y, header.map);
      const name = readable(header.joints[joint]);
      title.textContent = `Heatmap · ${name}`;
      const high = preview ? Math.max(...preview) : record.scores[joint];
      const which = preview ? "with your edits" : isOther ? "what if" : "as it was";
      caption.textContent = `${which} · peak ${plain(high, 2)}`;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Heatmap of the ${name}, ${caption.textContent}`);
    },
    // The difference in the cells of the second run.
    compare(first, second, preview) {
      const { header } = other;
      const joint = other.joint();
      const [width, height] = header.map;
      const values = preview ?? mapValues(header, second, joint);
      const before = resampled(mapValues(store.header, first, joint), header.map, first.crop, second.crop);
      const apart = Float32Array.from(values, (value, i) => value - before[i]);
      const largest = apart.reduce((most, v) => (Math.abs(v) > most ? Math.abs(v) : most), 0);
      const limit = LIMITS.find((one) => one >= largest) ?? Math.ceil(largest);
      paintCells(difference.canvas, width, height, apart, (v) => (Number.isNaN(v) ? UNKNOWN : diverging(v / limit)));
      drawSigns(apart, limit, width, height);
      paintCells(
        scale,
        65,
        1,
        Float32Array.from({ length: 65 }, (_, i) => (i - 32) / 32),
        diverging,
      );
      const outside = apart.some(Number.isNaN) ? " · grey: outside the first square" : "";
      legend.replaceChildren(`−${limit} `, scale, ` +${limit}`, outside);
      const most = apart.reduce((best, v, i) => (Math.abs(v) > Math.abs(apart[best] || 0) ? i : best), 0);
      const where = largest
        ? `largest ${signed(apart[most], 2)} in cell (${most % width}, ${Math.floor(most / width)})`
        : "no difference";
      signs.setAttribute("aria-label", `Difference of the heatmaps: ${where}`);
      note.textContent = where;
      Object.assign(difference.canvas.dataset, { frame: second.frame, limit });
    },
    versionPainted: (version) => (is.canvas.dataset.version = version),
  };

  // Plus and minus in the cells that differ: the sign is read without colour.
  function drawSigns(apart, limit, columns, rows) {
    const [width, height] = fit();
    const context = signs.getContext("2d");
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
}
