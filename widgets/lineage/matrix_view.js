// The similarity matrix on the page: a canvas of cells, one of marks over it, and the value under the pointer.

import { context2d, h } from "../core/dom.js";
import { fitted, paintCells } from "../core/drawing.js";
import { clamp } from "../core/text.js";
import { cellAt, cellColours, cellOf, describeCell, GUTTER, movedCell, pairOf, scaleEnds } from "./matrix.js";
import { drawMarks } from "./matrix_marks.js";
import { onHover } from "./strokes.js";

/** @import { Palette } from "../core/types.d.ts" */
/** @import { LineageState } from "./state.js" */
/** @import { Cell } from "./matrix.js" */
/** @import { Matrix } from "./messages.d.ts" */

const AXES = "Each cell compares the kernels of two frames: s, down the side, and t, along the bottom. ";
const CROSS =
  "The long lines cross in the current frame. The small square is the pair of pictures; click a cell to choose it.";
const LINE = "The long line is the current frame. The small square is the pair of pictures; click a cell to choose it.";
const KEYS = "Arrow keys move the selected cell, Enter goes there.";

/** @param {LineageState} state */
export function matrixView(state) {
  const { store, signal } = state;
  const cells = h("canvas", { class: "dkd-lineage-cells", width: 1, height: 1, "aria-hidden": "true" });
  const marks = h("canvas", { class: "dkd-lineage-marks", tabindex: 0, role: "application" });
  const reading = h("div", { class: "dkd-lineage-reading" });
  const spoken = h("div", { class: "dkd-unseen", role: "status" }); // for screen readers
  const scale = scaleView();
  const about = h("p", { class: "dkd-lineage-about" });
  const plot = h("div", { class: "dkd-lineage-plot" }, cells, marks);
  const fitCanvas = fitted(marks, signal, () => store.schedule());
  /** @type {Cell | null} */
  let hover = null;
  /** @type {Matrix | null} */
  let painted = null;
  let theme = "";

  /** @param {MouseEvent} event */
  const under = (event) => {
    if (!state.matrix) return null;
    const box = marks.getBoundingClientRect();
    return cellAt(state.matrix, [event.clientX - box.left, event.clientY - box.top], [box.width, box.height]);
  };
  marks.addEventListener(
    "pointerdown",
    (event) => {
      event.stopPropagation(); // the focus stays here, for the keys
      const cell = under(event);
      if (!cell || event.button) return;
      marks.focus({ preventScroll: true });
      state.select(cell, true);
    },
    { signal },
  );
  onHover(marks, signal, (event) => {
    hover = event && under(event);
    store.schedule();
  });
  marks.addEventListener(
    "keydown",
    (event) => {
      const cell = state.chosenCell && movedCell(state.chosenCell, event);
      if (!state.matrix || !cell) return;
      event.preventDefault();
      event.stopPropagation();
      state.select(cell, event.key === "Enter");
      spoken.textContent = describeCell(state.matrix, cellOf(state.matrix, pairOf(state.matrix, cell)));
    },
    { signal },
  );

  /** @param {Matrix} matrix */
  function paintMatrix(matrix) {
    const [rows, columns] = [matrix.rows.length, matrix.columns.length];
    paintCells(cells, columns, rows, matrix.values, cellColours(matrix));
    plot.style.setProperty("--lineage-aspect", String(clamp(columns / rows, 0.6, 2.5)));
    scale.paint(matrix);
    about.textContent = AXES + (matrix.other ? LINE : CROSS);
    marks.setAttribute("aria-label", `Similarity of the kernels of ${rows} × ${columns} frames. ${KEYS}`);
  }

  return {
    elements: [plot, reading, scale.element, about],
    spoken,
    /**
     * @param {Matrix} matrix
     * @param {number} frame
     * @param {Palette} colours
     */
    paint(matrix, frame, colours) {
      if (painted !== matrix || theme !== colours.theme) {
        if (painted !== matrix) hover = null;
        [painted, theme] = [matrix, colours.theme];
        paintMatrix(matrix);
      }
      const chosen = state.chosenCell;
      const told = hover ?? chosen;
      reading.textContent = told ? describeCell(matrix, told) : "";
      const [width, height] = fitCanvas();
      if (!width) return;
      const context = context2d(marks);
      cells.classList.toggle("dkd-lineage-smooth", matrix.columns.length > width - GUTTER);
      drawMarks(context, matrix, [width, height], { frame, hover, chosen }, colours);
    },
  };
}

/** The colour scale below the matrix. */
function scaleView() {
  const canvas = h("canvas", { class: "dkd-scalebar", "aria-hidden": "true" });
  const ends = [h("span"), h("span")];
  return {
    element: h("div", { class: "dkd-legend dkd-lineage-legend" }, h("span", {}, ends[0], canvas, ends[1])),
    /** @param {Matrix} matrix */
    paint(matrix) {
      const [low, high] = matrix.range;
      const steps = Float32Array.from({ length: 65 }, (_, i) => low + ((high - low) * i) / 64);
      paintCells(canvas, steps.length, 1, steps, cellColours(matrix));
      scaleEnds(matrix).forEach((text, i) => {
        ends[i].textContent = text;
      });
    },
  };
}
