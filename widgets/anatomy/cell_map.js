// The joint's map, in which a cell is picked by a click or with the arrow keys.

/** @import { Cell } from "../core/types.d.ts" */

import { viridis } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { clamp, plain, readable } from "../core/text.js";
import { cellUnder } from "../core/tiles.js";
import { frameCell, onArrows } from "./cells.js";

/** @param {(x: number, y: number) => void} pin called with the cell that was picked */
export function buildCellMap(pin) {
  const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
  const box = h("span", { class: "dkd-cellbox" });
  const area = h("div", { class: "dkd-large dkd-anatomy-map", tabindex: 0, role: "application" }, canvas, box);
  const hint = h("small", { class: "dkd-muted" });
  /** @type {[number, number]} */
  let size = [1, 1];
  let cell = { x: 0, y: 0 };
  area.title = "Click a cell, or move it with the arrow keys; Escape goes back to the peak";
  area.addEventListener("click", (event) => {
    pin(...cellUnder(event, canvas.getBoundingClientRect(), size));
    area.focus({ preventScroll: true });
  });
  onArrows(area, (dx, dy) => {
    const [x, y] = [clamp(cell.x + dx, 0, size[0] - 1), clamp(cell.y + dy, 0, size[1] - 1)];
    cell = { ...cell, x, y }; // the next key may come before this is painted
    pin(x, y);
  });
  return {
    element: h("div", {}, area, hint),
    /**
     * @param {Float32Array} values of the map, row by row
     * @param {[number, number]} map width, height
     * @param {Cell} where
     * @param {string} name of the joint
     */
    paint(values, map, where, name) {
      [size, cell] = [map, where];
      paintCells(canvas, ...map, values, viridis);
      frameCell(box, where, map);
      const value = plain(values[where.y * map[0] + where.x]);
      hint.textContent = `${value} at (${where.x}, ${where.y}) · ${where.why}`;
      const label = `Map of the ${readable(name)}: cell ${where.x}, ${where.y} holds ${value}. ${area.title}`;
      area.setAttribute("aria-label", label);
    },
  };
}
