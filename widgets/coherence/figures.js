// The figures of a range, without the page: which columns are shown, and which of two traces is better.

import { readable } from "../core/text.js";
import { figure } from "./curves.js";
import traces from "./traces.json" with { type: "json" };

/** @import { FigureRow, Figures } from "./messages.d.ts" */
/** @import { Range } from "./curves.js" */

const SHOWN = ["mean", "median", "min", "max"];
const EQUAL = 1e-9; // means that differ by less are the same

/**
 * What the figures are of, as one text: the same key, the same figures.
 * @param {number | undefined} generation
 * @param {Range} range
 * @param {string | null} joint null: all joints
 */
export const figuresKey = (generation, range, joint) => [generation, ...range, joint].join();

/**
 * The index of the trace with the better mean; null where neither is. A distance to the border is neither good nor bad.
 * @param {FigureRow} row
 * @param {number} k which of the values is the mean
 */
export function betterOf({ key, values, low_is_bad: lowIsBad }, k = 0) {
  if (values.length < 2 || key === "border") return null;
  const [a, b] = values.map((of) => of?.[k] ?? NaN);
  if (!(Math.abs(a - b) > EQUAL)) return null;
  return a > b === lowIsBad ? 0 : 1;
}

/**
 * The cells of a row: for each column the number of each trace, the better mean marked.
 * @param {FigureRow} row
 * @param {string[]} columns what each of a row's values is
 * @returns {{ text: string, title?: string }[]}
 */
export function cellsOf(row, columns) {
  const better = betterOf(row, columns.indexOf("mean"));
  return SHOWN.flatMap((column) =>
    row.values.map((of, which) => {
      const text = figure(of?.[columns.indexOf(column)] ?? NaN);
      if (column !== "mean" || better !== which) return { text };
      return { text: `✓ ${text}`, title: `${column}: ${traces.names[which]} is better` };
    }),
  );
}

/**
 * The lines of the table's head: the columns, and for two traces which of them below.
 * @param {boolean} isPair
 * @returns {{ wide: string[], narrow: string[] }}
 */
export function headings(isPair) {
  if (!isPair) return { wide: [], narrow: SHOWN };
  return { wide: SHOWN, narrow: SHOWN.flatMap(() => traces.names) };
}

/**
 * What the figures are of, in words.
 * @param {Figures} figures
 * @param {boolean} isRange whether a range is selected
 */
export function figuresNote({ first, last, joint }, isRange) {
  const frames = isRange ? `frames ${first} to ${last}` : "the whole clip";
  return `${frames}, ${joint ? readable(joint) : "all joints"}`;
}
