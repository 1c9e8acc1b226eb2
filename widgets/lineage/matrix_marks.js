// The marks over the similarity matrix: frame numbers, the frame of the cursor, and boxes around cells.

import { clamp } from "../core/text.js";
import { FOOT, GUTTER, nearest, ticks } from "./matrix.js";
import { cursorLine } from "./strokes.js";

/** @import { Palette } from "../core/types.d.ts" */
/** @import { Cell } from "./matrix.js" */
/** @import { Matrix } from "./messages.d.ts" */
/** @typedef {{ width: number, right: number, bottom: number, x: (column: number) => number, y: (row: number) => number }} Layout */

/**
 * Draw all marks.
 * @param {CanvasRenderingContext2D} context
 * @param {Matrix} matrix
 * @param {[width: number, height: number]} size of the canvas, in CSS pixels
 * @param {{ frame: number, hover: Cell | null, chosen: Cell | null }} marks
 * @param {Palette} colours
 */
export function drawMarks(context, matrix, [width, height], { frame, hover, chosen }, colours) {
  const layout = layoutOf(matrix, width, height);
  context.clearRect(0, 0, width, height);
  drawNumbers(context, matrix, layout, colours);
  drawCursor(context, matrix, layout, frame, colours);
  if (hover) drawBox(context, matrix, layout, hover, 5);
  if (chosen) drawBox(context, matrix, layout, chosen, 11);
}

/**
 * Where rows and columns are in the canvas of the marks.
 * @param {Matrix} matrix
 * @param {number} width
 * @param {number} height
 * @returns {Layout}
 */
function layoutOf({ rows, columns }, width, height) {
  const [right, bottom] = [width - GUTTER, height - FOOT];
  return {
    width,
    right,
    bottom,
    x: (column) => GUTTER + ((column + 0.5) / columns.length) * right,
    y: (row) => ((row + 0.5) / rows.length) * bottom,
  };
}

/**
 * The frame numbers along both axes.
 * @param {CanvasRenderingContext2D} context
 * @param {Matrix} matrix
 * @param {Layout} layout
 * @param {Palette} colours
 */
function drawNumbers(context, { rows, columns }, { width, right, bottom, x, y }, colours) {
  Object.assign(context, { fillStyle: colours.muted, font: `${colours.small} ${colours.font}` });
  Object.assign(context, { textAlign: "center", textBaseline: "top" });
  for (const i of ticks(columns, right))
    context.fillText(i ? String(columns[i]) : `t ${columns[i]}`, clamp(x(i), GUTTER + 8, width - 10), bottom + 4);
  Object.assign(context, { textAlign: "right", textBaseline: "middle" });
  for (const i of ticks(rows, bottom))
    context.fillText(i ? String(rows[i]) : `s ${rows[i]}`, GUTTER - 5, clamp(y(i), 7, bottom - 5));
}

/**
 * The cursor's frame: a column, and where both axes are of the same clip a row too.
 * @param {CanvasRenderingContext2D} context
 * @param {Matrix} matrix
 * @param {Layout} layout
 * @param {number} frame
 * @param {Palette} colours
 */
function drawCursor(context, matrix, { width, bottom, x, y }, frame, colours) {
  const here = nearest(matrix.columns, frame);
  cursorLine(context, [x(here), 0], [x(here), bottom], colours);
  if (!matrix.other) cursorLine(context, [GUTTER, y(here)], [width, y(here)], colours);
}

/**
 * A box around a cell, at least `size` pixels wide and high.
 * @param {CanvasRenderingContext2D} context
 * @param {Matrix} matrix
 * @param {Layout} layout
 * @param {Cell} cell
 * @param {number} size
 */
function drawBox(context, { rows, columns }, { right, bottom, x, y }, [row, column], size) {
  const wide = Math.max(size, right / columns.length) + 2;
  const tall = Math.max(size, bottom / rows.length) + 2;
  Object.assign(context, { strokeStyle: "#000", lineWidth: 3.5 });
  context.strokeRect(x(column) - wide / 2, y(row) - tall / 2, wide, tall);
  Object.assign(context, { strokeStyle: "#fff", lineWidth: 1.5 });
  context.strokeRect(x(column) - wide / 2, y(row) - tall / 2, wide, tall);
}
