// Frames and their places on the filmstrip.

import { describe, expect, test } from "vitest";
import { borderAt, clock, frameAt, keyStep, moved, rangeText, shareOf, zoomed } from "../../widgets/studio/frames.js";

const key = (/** @type {string} */ name, shiftKey = false) => ({ key: name, shiftKey });

test("a frame's place and the frame at that place are inverse", () => {
  for (const window of /** @type {[number, number][]} */ ([
    [0, 7],
    [0, 108000],
    [300, 360],
  ])) {
    for (let frame = window[0]; frame < window[1]; frame += Math.ceil((window[1] - window[0]) / 50)) {
      expect(frameAt(shareOf(frame, window) + 1e-9, window)).toBe(frame);
      expect(borderAt(shareOf(frame, window), window)).toBe(frame);
    }
    expect(frameAt(1, window)).toBe(window[1] - 1);
    expect(borderAt(1, window)).toBe(window[1]);
  }
});

describe("moved", () => {
  test("puts one end and keeps the other", () => {
    expect(moved([10, 50], "start", 20, 100)).toEqual([20, 50]);
    expect(moved([10, 50], "stop", 90, 100)).toEqual([10, 90]);
  });
  test("leaves one frame, and stays in the clip", () => {
    expect(moved([10, 50], "start", 80, 100)).toEqual([49, 50]);
    expect(moved([10, 50], "stop", 3, 100)).toEqual([10, 11]);
    expect(moved([10, 50], "start", -Infinity, 100)).toEqual([0, 50]);
    expect(moved([10, 50], "stop", Infinity, 100)).toEqual([10, 100]);
  });
});

test("keys of a slider: a frame, ten, a second, an end", () => {
  expect(keyStep(key("ArrowLeft"), 30)).toBe(-1);
  expect(keyStep(key("ArrowUp"), 30)).toBe(1);
  expect(keyStep(key("ArrowRight", true), 30)).toBe(10);
  expect(keyStep(key("PageUp"), 29.97)).toBe(30);
  expect(keyStep(key("PageDown"), 0.2)).toBe(-1);
  expect(keyStep(key("Home"), 30)).toBe(-Infinity);
  expect(keyStep(key("End"), 30)).toBe(Infinity);
  expect(keyStep(key("x"), 30)).toBeNull();
});

test("zooming in shows a tenth more on each side, within the clip", () => {
  expect(zoomed([100, 200], 1000)).toEqual([90, 210]);
  expect(zoomed([0, 5], 1000)).toEqual([0, 6]);
  expect(zoomed([995, 1000], 1000)).toEqual([994, 1000]);
});

test("times as a clock", () => {
  expect(clock(0)).toBe("0:00.00");
  expect(clock(9.533)).toBe("0:09.53");
  expect(clock(59.999)).toBe("1:00.00");
  expect(clock(3725)).toBe("1:02:05.00");
});

test("a range in words names its last frame", () => {
  const times = Float64Array.from({ length: 2000 }, (_, i) => i / 10);
  expect(rangeText([0, 2000], times)).toBe("frames 0 to 1999 · 0:00.00 to 3:19.90 · 2,000 frames");
  expect(rangeText([7, 8], times)).toBe("frames 7 to 7 · 0:00.70 to 0:00.70 · 1 frame");
});
