// A table of S×S numbers with their signs, on the colours of the kernels.

import { diverging, inkOn } from "../core/colours.js";
import { h } from "../core/dom.js";
import { signed } from "../core/text.js";
import { largestOf } from "./tensors.js";

/**
 * @param {HTMLTableElement} table
 * @param {Float32Array | Float64Array} values row by row
 * @param {number} side
 */
export function fillTable(table, values, side) {
  const largest = largestOf(values);
  const rows = Array.from({ length: side }, (_, y) => {
    const row = Array.from(values.subarray(y * side, (y + 1) * side));
    return h("tr", {}, ...row.map((value) => buildCell(value, value / largest)));
  });
  table.replaceChildren(h("tbody", {}, ...rows));
}

/** @type {(value: number, share: number) => HTMLElement} */
function buildCell(value, share) {
  const colour = diverging(share).map(Math.round);
  const style = `background:rgb(${colour});color:${inkOn(colour)}`;
  return h("td", { style, "data-value": value }, signed(value, 3));
}
