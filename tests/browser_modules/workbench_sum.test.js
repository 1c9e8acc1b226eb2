// What a record's byte says of a heatmap's value, which the matching view shows beside the exact sum.

import { expect, test } from "vitest";
import { heldBy } from "../../widgets/workbench/sum.js";

/** @type {[number, number]} */
const map_range = [-0.25, 1.25];

test("a value is known to half a byte, and beyond the range only that it lies there", () => {
  const header = { map: /** @type {[number, number]} */ ([2, 2]), map_range };
  const record = { maps: Uint8Array.from([0, 0, 0, 0, 0, 85, 170, 255]) };
  const held = (/** @type {number} */ x, /** @type {number} */ y) => heldBy(header, record, 1, x, y);
  expect(held(1, 0)).toEqual({ value: 0.25, sign: "≈" });
  expect(held(0, 1)).toEqual({ value: 0.75, sign: "≈" });
  expect(held(0, 0)).toEqual({ value: -0.25, sign: "≤" });
  expect(held(1, 1)).toEqual({ value: 1.25, sign: "≥" });
});
