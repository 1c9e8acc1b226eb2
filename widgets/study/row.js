// One row of the table of clips, with the confidence of its frames as a line.

import { h } from "../core/dom.js";
import { lanePoints } from "./rows.js";

/** @import { Column, Row } from "./rows.js" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Row | undefined} row undefined until it has come
 * @param {number} i its position
 * @param {{ columns: Column[], opened: string, isStop: boolean,
 *   open: (name: string, i: number, at?: number | null) => void, strips: Map<string, string> }} given
 */
export function buildRow(row, i, { columns, opened, isStop, open, strips }) {
  if (!row)
    return h("tr", { "aria-rowindex": i + 2, "aria-busy": "true" }, h("td", { colspan: columns.length + 2 }, "…"));
  const label = `open ${row.cells[0]}, ${row.cells[1]}`;
  const button = h(
    "button",
    { class: "dkd-go", tabindex: isStop ? 0 : -1, "aria-label": label, onclick: () => open(row.name, i) },
    row.cells[0],
  );
  const cells = columns.map((column, k) => {
    const kind = column.number ? "dkd-number" : "";
    if (k === 0) return h("td", { title: row.about || row.cells[0] }, button);
    return h("td", { class: kind, title: column.name === "status" && row.about ? row.about : undefined }, row.cells[k]);
  });
  const onclick = (/** @type {MouseEvent} */ event) => event.target !== button && open(row.name, i);
  const lane = h("td", { class: "dkd-study-lane" });
  if (row.lane) lane.append(buildLane(row.lane, (at) => open(row.name, i, at)));
  const strip = h("td", { class: "dkd-study-strip" });
  const image = strips.get(row.name);
  if (image) showStrip(strip, image);
  const element = h("tr", { "aria-rowindex": i + 2, onclick }, strip, lane, ...cells);
  element.dataset.name = row.name;
  if (row.name === opened) element.setAttribute("aria-current", "true");
  return element;
}

/**
 * Show the filmstrip of a clip in its cell.
 * @param {Element} cell
 * @param {string} image
 */
export function showStrip(cell, image) {
  cell.replaceChildren(h("img", { src: image, alt: "" })); // the row has the name of the clip
}

/**
 * @param {number[]} values
 * @param {(at: number) => void} go called with the share of the width that was clicked
 */
function buildLane(values, go) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "polyline");
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("points", lanePoints(values));
  svg.append(line);
  svg.addEventListener("click", (event) => {
    event.stopPropagation();
    const { left, width } = svg.getBoundingClientRect();
    go(Math.min(1, Math.max(0, (event.clientX - left) / width)));
  });
  return svg;
}
