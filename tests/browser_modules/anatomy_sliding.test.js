// The sliding window: the order of its steps, what happens in one of them, and that all steps make the matched map.

/** @import { Cell } from "../../widgets/core/types.d.ts" */

import { describe, expect, it } from "vitest";
import { channelAt } from "../../widgets/anatomy/numbers.js";
import {
  cellOf,
  computedSoFar,
  matchedChannel,
  nearestStep,
  rimmed,
  stepByKey,
  windowAt,
} from "../../widgets/anatomy/sliding.js";
import { matchingStep } from "./matching_step.js";

const { header, detail } = matchingStep({ channels: 3, map: [5, 4], kernel: 3 });
const [WIDTH, HEIGHT] = header.map;

describe("steps", () => {
  it("go row by row", () => {
    expect([0, 1, 4, 5, 19].map((step) => cellOf(step, 5))).toEqual([
      [0, 0],
      [1, 0],
      [4, 0],
      [0, 1],
      [4, 3],
    ]);
  });

  it("stay within the map", () => {
    expect([-3, 0, 7.9, 19, 20, Infinity].map((step) => nearestStep(step, [5, 4]))).toEqual([0, 0, 7, 19, 19, 19]);
  });

  it("follow the keys by a cell, by a row, and to the ends", () => {
    const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "x"];
    expect(keys.map((key) => stepByKey(key, 7, 5))).toEqual([6, 8, 2, 12, 0, Infinity, null]);
  });
});

describe("one step", () => {
  it("multiplies the window's features with the kernel, with zeros outside the map", () => {
    const { patch, kernel, products } = windowAt(header, detail, 2, [0, 3]);
    /** @type {(x: number, y: number) => number} */
    const P = (x, y) => detail.projected[(2 * HEIGHT + y) * WIDTH + x];
    expect([...patch]).toEqual([0, P(0, 2), P(1, 2), 0, P(0, 3), P(1, 3), 0, 0, 0]);
    expect([...kernel]).toEqual([...detail.kernels.subarray(18, 27)]);
    expect([...products]).toEqual([...patch].map((p, i) => Math.fround(p * kernel[i])));
  });

  it("gives the sum that the matched map holds", () => {
    const output = matchedChannel(header, detail, 1);
    expect(output.length).toBe(WIDTH * HEIGHT);
    output.forEach((value, step) => {
      const { products } = windowAt(header, detail, 1, cellOf(step, WIDTH));
      expect(value).toBeCloseTo(
        products.reduce((a, b) => a + b, 0),
        6,
      );
    });
  });

  it("is the arithmetic that is shown in numbers", () => {
    /** @type {Cell} */
    const cell = { x: 2, y: 1, why: "peak" };
    const found = channelAt({ header, detail, channel: 1, cell, readout: () => -0.5 });
    const matched = matchedChannel(header, detail, 1)[1 * WIDTH + 2];
    expect(found.matched).toBeCloseTo(matched, 6);
    expect(found.contribution).toBeCloseTo(-0.5 * matched, 6);
    expect(found.products.length).toBe(9);
  });
});

describe("pictures", () => {
  it("show the map as far as it is computed", () => {
    const shown = computedSoFar(Float32Array.from([1, 2, 3, 4]), 1);
    expect([...shown]).toEqual([1, 2, NaN, NaN]);
  });

  it("show the features with an unknown rim as wide as the kernel reaches", () => {
    const { values, wide, high, reach } = rimmed(header, detail, 1);
    expect([wide, high, reach]).toEqual([7, 6, 1]);
    expect(values.filter((v) => !Number.isNaN(v)).length).toBe(WIDTH * HEIGHT);
    expect(values[1 * wide + 1]).toBe(detail.projected[WIDTH * HEIGHT]);
    expect(values[4 * wide + 5]).toBe(detail.projected[2 * WIDTH * HEIGHT - 1]);
  });
});
