// The evaluation panel's table and gallery: sorting, filtering, where the arrow keys go.

import { expect, test } from "vitest";
import { nextTile, optionsOf, shownItems } from "../../widgets/evaluation/moments.js";
import { clickedOrder, sortRows } from "../../widgets/evaluation/table.js";
import { tileLabel } from "../../widgets/evaluation/tile.js";

/** @import { Item } from "../../widgets/evaluation/moments.js" */

/** @param {Partial<Item>} given */
const item = (given) =>
  /** @type {Item} */ ({
    key: "k", model: "dkd", data: "penn", video: "v", joint: "left_wrist", kind: "miss", labels: "people",
    action: "–", visibility: "visible", frame: 1, run: 1, error: 0.5, score: 0.5, ...given,
  }); // biome-ignore format: a table

const ITEMS = [
  item({ key: "a", error: 0.2, score: 0.9, run: 5, frame: 9 }),
  item({ key: "b", error: null, score: null, run: 5, frame: 2, joint: "head" }),
  item({ key: "c", error: 0.7, score: 0.1, run: 1, frame: 4, model: "hmr" }),
];
const keysOf = (/** @type {Item[]} */ items) => items.map(({ key }) => key).join("");

test("moments are sorted by what was asked for; what is not known comes last", () => {
  expect(keysOf(shownItems(ITEMS, {}, "error"))).toBe("cab");
  expect(keysOf(shownItems(ITEMS, {}, "score"))).toBe("cab");
  expect(keysOf(shownItems(ITEMS, {}, "run"))).toBe("abc");
  expect(keysOf(shownItems(ITEMS, {}, "frame"))).toBe("bca");
});

test("filters hold together, and an empty one lets all pass", () => {
  expect(keysOf(shownItems(ITEMS, { model: "dkd", joint: "" }, "frame"))).toBe("ba");
  expect(keysOf(shownItems(ITEMS, { model: "hmr", joint: "head" }, "frame"))).toBe("");
  expect(optionsOf(ITEMS, "joint")).toEqual(["head", "left_wrist"]);
});

test("arrow keys go by rows and columns; others go nowhere", () => {
  expect(
    ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].map((key) => nextTile(key, 5, 12, 4)),
  ).toEqual([4, 6, 1, 9, 0, 11]);
  expect(nextTile("a", 5, 12, 4)).toBe(undefined);
});

test("a tile says in words what its picture shows", () => {
  const label = tileLabel(item({ visibility: "hidden", run: 3, error: 0.123 }), "box");
  expect(label).toBe(
    "left wrist (hidden): 12 % of the box, miss; dkd, penn, v · frame 1, score 0.50, bad for 3 frames; labels: people",
  );
  expect(tileLabel(item({ error: null, score: null }), "box")).toContain("no position of the box, miss; dkd");
});

test("rows are sorted by a column, numbers as numbers, those without a value last in both directions", () => {
  const cell = (/** @type {string | number | null} */ value) => ({ text: "", value, best: false });
  const rows = [10, null, 9, 100].map((value) => [cell("x"), cell(value)]);
  const order = (/** @type {boolean} */ down) => sortRows(rows, 1, down).map((row) => row[1].value);
  expect(order(true)).toEqual([100, 10, 9, null]);
  expect(order(false)).toEqual([9, 10, 100, null]);
  expect(sortRows(rows, -1, true)).toBe(rows);
});

test("a heading's first click puts the best on top, the next turns it round", () => {
  const column = { name: "PCK", about: "", best: /** @type {const} */ ("max"), number: true };
  const first = clickedOrder({ column: null, down: true }, column);
  expect(first).toEqual({ column: "PCK", down: true });
  expect(clickedOrder(first, column)).toEqual({ column: "PCK", down: false });
  expect(clickedOrder(first, { ...column, name: "ms", best: "min" })).toEqual({ column: "ms", down: false });
});
