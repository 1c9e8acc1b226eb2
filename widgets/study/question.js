// What the table of clips asks for: a search field, filters, and headings that sort.

import { h } from "../core/dom.js";
import { orderAfter } from "./rows.js";

/** @import { Model } from "../core/types.d.ts" */
/** @import { Column, Order } from "./rows.js" */

const WAIT_MS = 150; // after a key in the search field
const MARKS = { ascending: " ▲", descending: " ▼", none: "" };

/**
 * @param {Model} model
 * @param {() => void} ask called when something else is asked for
 * @param {AbortSignal} signal
 */
export function buildQuestion(model, ask, signal) {
  /** @type {Order} */
  let order = { sort: "confidence", down: false };
  /** @type {Record<string, string>} */
  const where = {};
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  };
  const find = h("input", { type: "search", "aria-label": "Find", placeholder: "video or person", oninput: later });
  const filters = h("span", { class: "dkd-study-filters" });
  const headings = h("tr", { "aria-rowindex": "1" });
  const columns = () => /** @type {Column[]} */ (model.get("_columns"));

  function fillHeadings() {
    const cells = columns().map((column) => {
      const sorted = column.name !== order.sort ? "none" : order.down ? "descending" : "ascending";
      const click = () => {
        order = orderAfter(order, column);
        fillHeadings();
        ask();
      };
      const button = h("button", { title: column.about, onclick: click }, column.label + MARKS[sorted]);
      return h("th", { scope: "col", class: column.number ? "dkd-number" : "", "aria-sort": sorted }, button);
    });
    const strip = h("th", { scope: "col", class: "dkd-study-strip" }, h("span", { class: "dkd-unseen" }, "filmstrip"));
    const lane = h("th", { scope: "col", class: "dkd-study-lane" }, "confidence over time");
    headings.replaceChildren(strip, lane, ...cells);
  }

  /**
   * @param {string} name
   * @param {string[]} values
   */
  function buildFilter(name, values) {
    const label = columns().find((column) => column.name === name)?.label ?? name;
    const choose = () => {
      where[name] = select.value;
      ask();
    };
    const select = h("select", { "aria-label": label, onchange: choose });
    select.append(h("option", { value: "" }, `${label}: all`));
    for (const value of values) select.append(h("option", { value }, value));
    if (!values.includes(where[name])) where[name] = ""; // what is chosen stays while it is there
    select.value = where[name];
    return select;
  }

  function fillFilters() {
    /** @type {Record<string, string[]>} */
    const all = model.get("_filters");
    for (const name of Object.keys(where)) if (!(name in all)) delete where[name];
    filters.replaceChildren(...Object.entries(all).map(([name, values]) => buildFilter(name, values)));
  }

  return {
    find,
    filters,
    headings,
    fill() {
      fillHeadings();
      fillFilters();
    },
    /** What is asked for now. */
    asked: () => ({ find: find.value, where, ...order }),
    /** Whether only some of the clips are asked for. */
    isFiltered: () => Boolean(find.value || Object.values(where).some(Boolean)),
  };
}
