// How late the live view is, and where the time went.

import { expect, test } from "vitest";
import { Budget, budgetText, countsText, stagesOf } from "../../widgets/live/budget.js";
import { middleOf } from "../../widgets/live/controls.js";

test("the stages of a frame of the webcam add up to its delay", () => {
  const kernel = { capture_ms: 2, decode_ms: 3, network_ms: 10, refine_ms: 0 };
  const stages = stagesOf({ taken: 100, sent: 108, answered: 132, painted: 135 }, kernel);
  expect(stages).toEqual({ capture: 8, transport: 9, waiting: 2, decode: 3, network: 10, paint: 3 });
  expect(Object.values(stages).reduce((a, b) => a + b)).toBe(135 - 100);
});

test("what refined joints cost is a stage of its own", () => {
  const kernel = { capture_ms: 2, decode_ms: 3, network_ms: 10, refine_ms: 4 };
  const stages = stagesOf({ taken: 100, sent: 108, answered: 132, painted: 135 }, kernel, true);
  expect(stages).toEqual({ capture: 8, transport: 5, waiting: 2, decode: 3, network: 10, refine: 4, paint: 3 });
});

test("medians are those of the last 30 frames", () => {
  const budget = new Budget();
  expect(budget.medians()).toBe(null);
  expect(budgetText(budget.medians())).toBe("");
  for (let i = 0; i < 20; i++) budget.add({ network: 1000, paint: 1000 });
  for (let i = 0; i < 30; i++) budget.add({ network: i, paint: i % 2 ? 4 : 0 });
  expect(budget.recent.length).toBe(30);
  expect(budget.medians()?.stages).toEqual({ network: 14.5, paint: 2 });
  const sums = Array.from({ length: 30 }, (_, i) => i + (i % 2 ? 4 : 0)).sort((a, b) => a - b);
  expect(budget.medians()?.total).toBe((sums[14] + sums[15]) / 2);
  budget.clear();
  expect(budget.medians()).toBe(null);
});

test("delay and counts in words", () => {
  const budget = new Budget();
  budget.add({ capture: 8.4, network: 10.1 });
  expect(budgetText(budget.medians())).toBe("19 ms late: capture 8 · network 10");
  expect(countsText({ captured: 9, tracked: 6, dropped: 2 })).toBe("6 of 9 frames tracked, 2 dropped");
  expect(countsText({ captured: 0, tracked: 0, dropped: 0 })).toBe("");
});

test("the middle is a box of somebody who stands in front of the webcam", () => {
  expect(middleOf([640, 480])).toEqual([160, 24, 480, 456]);
});
