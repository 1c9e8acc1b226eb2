import { describe, expect, test } from "vitest";
import {
  anchorOf,
  curveOf,
  figure,
  lineOf,
  rangeOf,
  scaled,
  scaleTop,
  shownLanes,
  told,
} from "../../widgets/coherence/curves.js";
import { betterOf, cellsOf, figuresKey, figuresNote, headings } from "../../widgets/coherence/figures.js";

/** @import { Lane } from "../../widgets/coherence/messages.d.ts" */
/** @import { Range, Scope } from "../../widgets/coherence/curves.js" */

/**
 * @param {Partial<Lane>} changes
 * @returns {Lane}
 */
const lane = (changes = {}) => ({
  key: "speed",
  label: "speed",
  unit: "boxes per frame",
  low_is_bad: false,
  help: "",
  limit: null,
  joints: true,
  values: [Float32Array.of(1, 4, NaN, 8, NaN, NaN), null], // 3 frames of 2 joints; B was not measured
  ...changes,
});
const curve = (/** @type {Scope} */ scope, changes = {}) => [...(curveOf(lane(changes), 0, scope, 1, 2) ?? [])];

describe("a lane over the clip", () => {
  test("of the selected joint", () => {
    expect(curve("joint")).toEqual([4, 8, NaN]);
  });

  test("of all joints: the worst by what is bad, or the mean; what is not known does not count", () => {
    expect(curve("worst")).toEqual([4, 8, NaN]);
    expect(curve("worst", { low_is_bad: true })).toEqual([1, 8, NaN]);
    expect(curve("mean")).toEqual([2.5, 8, NaN]);
  });

  test("of the whole frame there is one curve, whatever the joint", () => {
    const drift = Float32Array.of(0.1, 0.2, 0.3);
    expect(curveOf(lane({ joints: false, values: [drift] }), 0, "worst", 1, 2)).toBe(drift);
    expect(curveOf(lane(), 1, "joint", 1, 2)).toBeNull();
  });

  test("the scale spans zero, the limit and both curves", () => {
    const curves = [Float32Array.of(2, NaN), Float32Array.of(-1, 5)];
    expect(scaled(lane(), curves)).toMatchObject({ low: -1, high: 5 });
    expect(scaled(lane({ limit: 9 }), curves)).toMatchObject({ low: -1, high: 9 });
    expect(scaled(lane(), [null, Float32Array.of(NaN)])).toMatchObject({ low: 0, high: 1 });
    expect(scaled(lane({ key: "score" }), [Float32Array.of(0.4)])).toMatchObject({ low: 0, high: 1 });
  });

  test("says its values, of two traces with their names", () => {
    const drawn = scaled(lane(), [Float32Array.of(0.25, 12), null]);
    expect(told(drawn, 1)).toEqual(["A 12.0", "B –"]);
    expect(lineOf(scaled(lane(), [Float32Array.of(0.25)]), 0)).toBe("speed 0.250");
  });
});

test("at first similar lanes are hidden; the score stands in for a confidence that is missing", () => {
  const lanes = (/** @type {string[]} */ ...keys) => keys.map((key) => lane({ key }));
  expect([...shownLanes(lanes("confidence", "score", "speed", "border"), null)]).toEqual(["confidence", "speed"]);
  expect([...shownLanes(lanes("score", "speed", "swapped"), null)]).toEqual(["speed", "score"]);
  expect([...shownLanes(lanes("score", "speed"), new Set(["border"]))]).toEqual(["border", "score"]);
  expect([...shownLanes(lanes("confidence", "speed"), new Set(["border"]))]).toEqual(["border"]);
});

test("numbers have about three digits", () => {
  expect([123.4, 12.34, 1.234, 0.01234, 0.0001234, 0, -12.34, NaN].map(figure)).toEqual([
    "123",
    "12.3",
    "1.234",
    "0.012",
    "0.00012",
    "0.000",
    "-12.3",
    "–",
  ]);
  expect([1, 0.25, 12.5, 200].map(scaleTop)).toEqual(["1", "0.25", "12.5", "200"]);
});

describe("a range by keys", () => {
  test("grows and shrinks at the cursor's end, and is gone where its ends meet", () => {
    /** @type {Range | null} */
    let range = null;
    let frame = 5;
    const press = (/** @type {number} */ by) => {
      const anchor = anchorOf(range, frame);
      frame += by;
      range = rangeOf(anchor, frame);
      return range;
    };
    expect([press(1), press(1), press(1)]).toEqual([
      [5, 6],
      [5, 7],
      [5, 8],
    ]);
    expect([press(-1), press(-1), press(-1)]).toEqual([[5, 7], [5, 6], null]);
    expect(press(-1)).toEqual([4, 5]);
  });

  test("starts at the cursor where the range is elsewhere", () => {
    expect(anchorOf([10, 20], 3)).toBe(3);
    expect(anchorOf([10, 20], 10)).toBe(20);
    expect(anchorOf([10, 20], 20)).toBe(10);
  });
});

describe("figures", () => {
  const columns = ["mean", "median", "min", "max", "n"];
  /**
   * @param {(number | null)[]} a
   * @param {(number | null)[] | null} b
   */
  const row = (a, b, changes = {}) => ({ key: "speed", label: "speed", low_is_bad: false, values: [a, b], ...changes });

  test("the better mean is the one that is less bad", () => {
    expect(betterOf(row([1], [2]))).toBe(0);
    expect(betterOf(row([1], [2], { low_is_bad: true }))).toBe(1);
    expect(betterOf(row([1], [1]))).toBeNull();
    expect(betterOf(row([1], null))).toBeNull();
    expect(betterOf(row([1], [null]))).toBeNull();
    expect(betterOf(row([1], [2], { key: "border" }))).toBeNull();
    expect(betterOf({ ...row([1], null), values: [[1]] })).toBeNull();
  });

  test("cells go by the names of the columns; the better mean is marked", () => {
    const cells = cellsOf(row([1, 2, 0, 3, 60], null), columns);
    expect(cells.map(({ text }) => text)).toEqual(["1.000", "–", "2.000", "–", "0.000", "–", "3.000", "–"]);
    const marked = cellsOf(row([60, 0, 3, 2, 1], [60, 0, 3, 2, 0.5]), [...columns].reverse());
    expect(marked[1]).toEqual({ text: "✓ 0.500", title: "mean: B is better" });
    expect(marked.filter(({ title }) => title)).toHaveLength(1);
  });

  test("the head has a second line for two traces", () => {
    expect(headings(false)).toEqual({ wide: [], narrow: ["mean", "median", "min", "max"] });
    expect(headings(true).narrow).toEqual(["A", "B", "A", "B", "A", "B", "A", "B"]);
  });

  test("their key and words tell range and joint", () => {
    expect(figuresKey(4, [0, 59], null)).toBe("4,0,59,");
    expect(figuresKey(4, [3, 9], "head")).toBe("4,3,9,head");
    const none = { key: "", columns: [], rows: [] };
    expect(figuresNote({ ...none, first: 3, last: 9, joint: "left_wrist" }, true)).toBe("frames 3 to 9, left wrist");
    expect(figuresNote({ ...none, first: 0, last: 59, joint: null }, false)).toBe("the whole clip, all joints");
  });
});
