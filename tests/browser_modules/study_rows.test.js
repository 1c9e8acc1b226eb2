// The table of a study's clips: which rows are in sight, how a click sorts, where keys go, and the lane's line.

import { expect, test } from "vitest";
import { lanePoints, orderAfter, ROW, rowAfter, rowsInSight } from "../../widgets/study/rows.js";

test("rows in sight are asked for with some spare ones, and never more than there are", () => {
  expect(rowsInSight(0, 10 * ROW, 100_000)).toEqual({ first: 0, last: 10, from: 0, count: 30 });
  expect(rowsInSight(5000.5 * ROW, 10 * ROW, 100_000)).toEqual({ first: 5000, last: 5011, from: 4980, count: 51 });
  expect(rowsInSight(1e9, 10 * ROW, 100)).toEqual({ first: 99, last: 100, from: 79, count: 21 });
  expect(rowsInSight(0, 10 * ROW, 3)).toEqual({ first: 0, last: 3, from: 0, count: 3 });
  expect(rowsInSight(0, 10 * ROW, 0)).toEqual({ first: 0, last: 0, from: 0, count: 0 });
});

test("a click on a heading shows first what to look at first, the next click the other end", () => {
  const column = { name: "jumps", label: "jumps", about: "", number: true, down: true };
  const once = orderAfter({ sort: "confidence", down: false }, column);
  expect(once).toEqual({ sort: "jumps", down: true });
  expect(orderAfter(once, column)).toEqual({ sort: "jumps", down: false });
  expect(orderAfter(once, { ...column, name: "video", down: false })).toEqual({ sort: "video", down: false });
});

test("keys stay within the table", () => {
  const to = (/** @type {string} */ key, here = 50) => rowAfter(key, here, 100, 10);
  expect(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"].map((key) => to(key))).toEqual([
    51, 49, 60, 40, 0, 99,
  ]);
  expect([to("ArrowUp", 0), to("PageDown", 95), to("ArrowDown", 99)]).toEqual([0, 99, 99]);
  expect(to("Enter")).toBe(null);
  expect(rowAfter("End", 0, 0, 10)).toBe(null); // while the rows are awaited
});

test("a lane is a line from left to right, high where the model is sure", () => {
  expect(lanePoints([1, 0, 0.5])).toBe("0.0,1.0 50.0,19.0 100.0,10.0");
  expect(lanePoints([2])).toBe("0.0,1.0 100.0,1.0");
});
