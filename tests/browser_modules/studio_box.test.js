// Boxes stay in the frame, with their corners in order, whatever is done to them.

import { describe, expect, test } from "vitest";
import { afterKey, between, boxText, dragged, middle, overlap } from "../../widgets/studio/box.js";

const SIZE = /** @type {const} */ ([640, 480]);
/** @type {import("../../widgets/studio/types.d.ts").Box} */
const BOX = [100, 50, 200, 250];
const key = (/** @type {string} */ name, more = {}) => ({ key: name, shiftKey: false, altKey: false, ...more });

describe("between", () => {
  test("orders the corners of a drag in any direction", () => {
    expect(between([200, 250], [100, 50], SIZE)).toEqual(BOX);
    expect(between([100, 250], [200, 50], SIZE)).toEqual(BOX);
  });
  test("cuts what lies outside of the frame", () => {
    expect(between([-30, -1], [700, 900], SIZE)).toEqual([0, 0, 640, 480]);
  });
});

describe("dragged", () => {
  test("moves the whole box and keeps its size at the border", () => {
    expect(dragged(BOX, "move", 10, -20, SIZE)).toEqual([110, 30, 210, 230]);
    expect(dragged(BOX, "move", 1000, 1000, SIZE)).toEqual([540, 280, 640, 480]);
    expect(dragged(BOX, "move", -1000, -1000, SIZE)).toEqual([0, 0, 100, 200]);
  });
  test("moves one corner, and never past the other", () => {
    expect(dragged(BOX, "nw", -10, 5, SIZE)).toEqual([90, 55, 200, 250]);
    expect(dragged(BOX, "ne", 10, 5, SIZE)).toEqual([100, 55, 210, 250]);
    expect(dragged(BOX, "sw", -10, 5, SIZE)).toEqual([90, 50, 200, 255]);
    expect(dragged(BOX, "se", 10, 5, SIZE)).toEqual([100, 50, 210, 255]);
    expect(dragged(BOX, "se", -500, -500, SIZE)).toEqual([100, 50, 108, 58]);
    expect(dragged(BOX, "nw", 500, 500, SIZE)).toEqual([192, 242, 200, 250]);
  });
});

describe("afterKey", () => {
  test("arrows move by a hundredth of the frame, with Alt by a pixel", () => {
    expect(afterKey(BOX, key("ArrowRight"), SIZE)).toEqual([105, 50, 205, 250]);
    expect(afterKey(BOX, key("ArrowUp", { altKey: true }), SIZE)).toEqual([100, 49, 200, 249]);
  });
  test("with Shift they resize", () => {
    expect(afterKey(BOX, key("ArrowDown", { shiftKey: true }), SIZE)).toEqual([100, 50, 200, 255]);
    expect(afterKey(BOX, key("ArrowLeft", { shiftKey: true, altKey: true }), SIZE)).toEqual([100, 50, 199, 250]);
  });
  test("other keys are for others", () => {
    expect(afterKey(BOX, key("a"), SIZE)).toBeNull();
    expect(afterKey(BOX, key("Enter"), SIZE)).toBeNull();
  });
});

test("the box in the middle lies in the frame, also in a small or narrow one", () => {
  for (const size of /** @type {[number, number][]} */ ([
    [640, 480],
    [1080, 1920],
    [100, 2000],
    [2000, 100],
  ])) {
    const box = middle(size);
    expect(box[0] + box[2]).toBeCloseTo(size[0]);
    expect(box[1] + box[3]).toBeCloseTo(size[1]);
    expect(box[0]).toBeGreaterThanOrEqual(0);
    expect(Math.min(box[2] - box[0], box[3] - box[1])).toBeGreaterThanOrEqual(8);
  }
});

test("overlap is area in common / area of both", () => {
  expect(overlap(BOX, BOX)).toBe(1);
  expect(overlap(BOX, [300, 50, 400, 250])).toBe(0);
  expect(overlap([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3);
});

test("a box in words has whole pixels", () => {
  expect(boxText([1.4, 2.6, 11.4, 22.6])).toBe("left 1, top 3, 10 wide, 20 high");
});
