import { describe, expect, test } from "vitest";
import {
  absentNote,
  cellUnder,
  describeShare,
  emptyNote,
  largestShare,
  rowCount,
  rowLabel,
  scaledShares,
  scaleNote,
} from "../../widgets/lineage/channels.js";
import { describeDrift } from "../../widgets/lineage/drift_view.js";
import { pathNote, pathPlace, pointNames, pointNear } from "../../widgets/lineage/path.js";

/** @import { Matrix } from "../../widgets/lineage/messages.d.ts" */

/** @type {Matrix} */
const matrix = {
  joint: "",
  centred: false,
  other: null,
  range: [0, 1],
  jumps: [],
  shares: [],
  values: new Float32Array(0),
  rows: new Int32Array(0),
  columns: new Int32Array(0),
  drift: new Float32Array(0),
  scores: new Float32Array(0),
  frames: new Int32Array(0),
};

describe("the path", () => {
  const scores = Float32Array.of(-2, 0, 0, 1, NaN, NaN, 2, 0);

  test("fills the canvas on one scale, with y upwards", () => {
    const place = pathPlace(scores, 452, 300);
    expect([0, 1, 3].map((i) => place?.(i))).toEqual([
      [26, 200],
      [226, 100],
      [426, 200],
    ]);
  });

  test("there is none where nothing varies", () => {
    expect(pathPlace(Float32Array.of(1, 1, 1, 1), 452, 300)).toBeNull();
    expect(pathPlace(Float32Array.of(NaN, NaN), 452, 300)).toBeNull();
    expect(pathPlace(new Float32Array(0), 452, 300)).toBeNull();
  });

  test("the point under the pointer is the nearest within reach", () => {
    const place = pathPlace(scores, 452, 300);
    expect(pointNear(place, 4, [30, 190])).toBe(0);
    expect(pointNear(place, 4, [420, 205])).toBe(3);
    expect(pointNear(place, 4, [120, 250])).toBeNull();
    expect(pointNear(null, 4, [0, 0])).toBeNull();
  });

  test("names the ends, the cursor's frame and the point under the pointer", () => {
    expect([...pointNames([0, 5, 10, 15], 1, 2)]).toEqual([
      [0, "first"],
      [3, "last"],
      [1, "frame 5"],
      [2, "frame 10"],
    ]);
    expect(pointNames([0, 5], 1, 7).get(1)).toBe("frame 5"); // 7 was a point of another path
    expect(pointNames([0, 5], 1, 7).size).toBe(2);
  });

  test("says what the axes hold", () => {
    expect(pathNote({ ...matrix, shares: [0.614, 0.2] })).toContain("61 % and 20 % of the variance");
    expect(pathNote({ ...matrix, shares: [0, 0] })).toBe("The kernels never change.");
  });
});

test("the drift is said with its largest jumps", () => {
  const drift = Float32Array.of(NaN, 0.25, 0.5);
  expect(describeDrift({ ...matrix, drift, jumps: [2] }, 1)).toBe(
    "Drift at frame 1: 0.25; largest jumps: frame 2, 0.50",
  );
  expect(describeDrift({ ...matrix, drift, jumps: [] }, 0)).toBe("Drift at frame 0: none; no jumps");
});

describe("what a joint relies on", () => {
  const reliance = {
    joint: "head",
    complete: true,
    channels: [7, 2],
    frames: Int32Array.of(1, 3, 5),
    shares: Float32Array.of(0.5, 0.25, NaN, 0.125, 0.25, NaN, 0.375, 0.5, NaN),
  };

  test("rows are ranked channels and all others", () => {
    expect(rowCount(reliance)).toBe(3);
    expect([0, 1, 2].map((row) => rowLabel(reliance, row))).toEqual(["channel 7", "channel 2", "all others"]);
  });

  test("single channels share a scale up to the largest; all others are shown as they are", () => {
    expect(largestShare(reliance)).toBe(0.5);
    expect([...scaledShares(reliance)]).toEqual([1, 0.5, NaN, 0.25, 0.5, NaN, 0.375, 0.5, NaN]);
    expect(scaleNote(reliance)).toBe(
      "Share of |contribution| at the peak: dark 0 to light 50.0 %; all others: 0 to 100 % · 3 frames, from 1 to 5",
    );
  });

  test("without others nothing is said of them", () => {
    const all = { ...reliance, shares: reliance.shares.slice(0, 6) };
    expect(rowCount(all)).toBe(2);
    expect(scaleNote(all)).not.toContain("others");
  });

  test("the cell under the pointer, and its words", () => {
    expect(cellUnder(reliance, [0.5, 0.1])).toEqual([0, 1]);
    expect(cellUnder(reliance, [1, 1])).toEqual([2, 2]);
    expect(describeShare(reliance, [1, 0])).toBe("channel 2 · frame 1 · 12.5 %");
    expect(describeShare(reliance, [2, 2])).toBe("all others · frame 5 · nothing");
  });

  test("an empty strip says why", () => {
    expect(emptyNote({ failed: true, busy: false, wanted: true })).toBe("could not be computed");
    expect(emptyNote({ failed: false, busy: true, wanted: true })).toBe("computing …");
    expect(emptyNote({ failed: false, busy: false, wanted: true })).toContain("nothing was matched");
    expect(emptyNote({ failed: false, busy: false, wanted: false })).toContain("in the background");
    expect(absentNote(["left_wrist", "head"])).toBe("This page has the channels of the left wrist, the head only.");
    expect(absentNote([])).toContain("needs the model");
  });
});
