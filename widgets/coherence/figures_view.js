// The table of the figures of a range.

import { h } from "../core/dom.js";
import { cellsOf, figuresNote, headings } from "./figures.js";

/** @import { Figures } from "./messages.d.ts" */
/** @import { DebuggerState } from "./state.js" */

/**
 * @param {DebuggerState} state
 * @param {HTMLElement} root told which figures are shown
 */
export function figuresView(state, root) {
  const where = h("span", { class: "dkd-muted", role: "status" });
  const title = "Deselect the range (Escape)";
  const clear = h(
    "button",
    { class: "dkd-button", title, onclick: () => state.cursor.set("range", null) },
    "whole clip",
  );
  const head = h("thead");
  const body = h("tbody");
  const table = h("table", { class: "dkd-results dkd-figures" }, head, body);
  const scroll = { class: "dkd-results-scroll", tabindex: "0", role: "region", "aria-label": "Table of figures" };
  /** @type {Figures | null} */
  let shown = null;

  return {
    element: h(
      "section",
      { "aria-label": "Figures of the range" },
      h("header", {}, h("h4", {}, "Figures"), where, clear),
      h("div", scroll, table),
    ),
    paint() {
      if (!state.figures || shown === state.figures) return;
      shown = state.figures;
      const isRange = Boolean(state.range);
      where.textContent = figuresNote(shown, isRange);
      clear.hidden = !isRange;
      head.replaceChildren(...headOf(state.isPair));
      body.replaceChildren(...rowsOf(shown));
      root.dataset.figures = shown.key;
    },
  };
}

/** @param {boolean} isPair */
function headOf(isPair) {
  const { wide, narrow } = headings(isPair);
  const number = (/** @type {string} */ name) => h("th", { scope: "col", class: "dkd-number" }, name);
  const group = { scope: "colgroup", colspan: 2, class: "dkd-number" };
  const first = h("tr", {}, h("td"), ...wide.map((name) => h("th", group, name)));
  const last = h("tr", {}, h("th", { scope: "col" }, "lane"), ...narrow.map(number));
  return wide.length ? [first, last] : [last];
}

/** @param {Figures} figures */
function rowsOf({ rows, columns }) {
  return rows.map((row) => {
    const cells = cellsOf(row, columns).map(({ text, title }) =>
      h("td", { class: "dkd-number", title }, title ? h("b", {}, text) : text),
    );
    const element = h("tr", {}, h("th", { scope: "row" }, row.label), ...cells);
    element.dataset.lane = row.key;
    return element;
  });
}
