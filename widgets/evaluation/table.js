// The table of figures: sorted by a click on a heading; copied and downloaded without the kernel.

import { copyText, downloadText } from "../core/clipboard.js";
import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";
import { followTheme } from "../core/theme.js";

/** @import { Context, Model } from "../core/types.d.ts" */

/** @typedef {{ name: string, about: string, best: "max" | "min" | "", number: boolean }} Column */
/** @typedef {{ text: string, value: string | number | null, best: boolean }} Cell */
/** @typedef {{ column: string | null, down: boolean }} Order */

const SAID_MS = 2500;
const FORMATS = {
  csv: { name: "CSV", ending: "csv", type: "text/csv" },
  latex: { name: "LaTeX", ending: "tex", type: "text/x-tex" },
  markdown: { name: "Markdown", ending: "md", type: "text/markdown" },
};
const MARKS = { ascending: " ▲", descending: " ▼", none: "" };

/**
 * Rows in the order of a column, those without a value last.
 * @param {Cell[][]} rows
 * @param {number} index of the column; −1 leaves them in the order in which they came
 * @param {boolean} down
 */
export function sortRows(rows, index, down) {
  if (index < 0) return rows;
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[index].value, b[index].value];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (typeof x === "number" ? x - Number(y) : x.localeCompare(String(y)));
  });
}

/**
 * The order after a click on a column's heading: the best first, then the other way round.
 * @param {Order} order
 * @param {Column} column
 * @returns {Order}
 */
export function clickedOrder(order, { name, number, best }) {
  if (order.column === name) return { column: name, down: !order.down };
  return { column: name, down: number && best !== "min" };
}

/** @param {Context} context */
function render({ model, el, signal }) {
  /** @type {Order} */
  let order = { column: null, down: true };
  const head = h("tr");
  const body = h("tbody");
  const note = h("p", { class: "dkd-measured" });
  const table = h("table", { class: "dkd-results" }, h("thead", {}, head), body);
  const root = h(
    "section",
    { class: "dkd dkd-results-table", "aria-label": "Figures" },
    h("div", { class: "dkd-results-scroll", tabindex: "0", role: "region", "aria-label": "Table of figures" }, table),
    note,
  );
  root.append(buildBar(model, root));
  root.dataset.lmSuppressShortcuts = "true";
  root.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
  el.append(root);
  followTheme(root, signal);

  function paint() {
    /** @type {Column[]} */
    const columns = model.get("_columns");
    /** @type {Cell[][]} */
    const rows = model.get("_rows");
    root.hidden = !rows.length;
    const index = columns.findIndex(({ name }) => name === order.column);
    const sortBy = (/** @type {Column} */ column) => {
      order = clickedOrder(order, column);
      paint();
    };
    const state = (/** @type {number} */ i) => (i !== index ? "none" : order.down ? "descending" : "ascending");
    head.replaceChildren(...columns.map((column, i) => buildHeading(column, state(i), sortBy)));
    const cells = (/** @type {Cell[]} */ row) => row.map((cell, i) => buildCell(cell, columns[i]));
    body.replaceChildren(...sortRows(rows, index, order.down).map((row) => h("tr", {}, ...cells(row))));
    note.textContent = model.get("_note");
  }

  listen(model, ["change:_rows", "change:_note"], paint, signal);
  signal.addEventListener("abort", () => root.remove());
  paint();
}

/**
 * @param {Column} column
 * @param {keyof typeof MARKS} sorted
 * @param {(column: Column) => void} sortBy
 */
function buildHeading(column, sorted, sortBy) {
  const button = h("button", { title: column.about, onclick: () => sortBy(column) }, column.name + MARKS[sorted]);
  return h("th", { scope: "col", class: column.number ? "dkd-number" : "", "aria-sort": sorted }, button);
}

/**
 * @param {Cell} cell
 * @param {Column} column
 */
function buildCell({ text, best }, { name, number }) {
  const machine = name === "labels" && text.includes("machine");
  const kind = [number && "dkd-number", machine && "dkd-machine-cell"].filter(Boolean).join(" ");
  return h("td", { class: kind }, best ? h("b", { title: "the best on this data" }, text) : text);
}

/**
 * A format, and buttons to copy and to download the table in it.
 * @param {Model} model
 * @param {HTMLElement} root
 */
function buildBar(model, root) {
  const format = h("select", { "aria-label": "Format" });
  for (const [key, { name }] of Object.entries(FORMATS)) format.append(h("option", { value: key }, name));
  const said = h("span", { class: "dkd-muted", role: "status" });
  const chosen = () => {
    const key = /** @type {keyof typeof FORMATS} */ (format.value);
    return { ...FORMATS[key], text: model.get("_exports")[key] };
  };
  const say = (/** @type {string} */ text) => {
    said.textContent = text;
    setTimeout(() => {
      said.textContent = "";
    }, SAID_MS);
  };
  const copy = async () => {
    const { name, text } = chosen();
    say((await copyText(text, root)) ? `copied as ${name}` : "press Ctrl-C to copy");
  };
  const download = () => {
    const { ending, type, text } = chosen();
    const file = `${model.get("_name")}.${ending}`;
    downloadText(text, file, type);
    say(`saved as ${file}`);
  };
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { class: "dkd-button", title, onclick }, text);
  return h(
    "div",
    { class: "dkd-results-bar" },
    format,
    button("Copy", "Copy the table in this format", copy),
    button("Download", "Save the table as a file", download),
    said,
  );
}

export default { render };
