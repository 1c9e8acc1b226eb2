// Lanes: where frames lie, how curves are broken and thinned, which seconds are marked.

import { expect, test } from "vitest";
import { curveRuns, EDGE_PX, frameAxis, secondMarks } from "../../widgets/core/lanes.js";
import { describeLanes } from "../../widgets/workbench/timeline_lanes.js";

/** @import { Header } from "../../widgets/core/types.d.ts" */

/** @param {number} count */
const axis = (count) =>
  frameAxis({ header: { n_frames: count } }, /** @type {HTMLCanvasElement} */ (/** @type {unknown} */ ({})));

test("the first and the last frame lie at the slider's ends, and a place leads back to its frame", () => {
  const { toX, toFrame } = axis(60);
  expect([toX(0, 600), toX(59, 600)]).toEqual([EDGE_PX, 600 - EDGE_PX]);
  for (const width of [300, 1234]) for (let t = 0; t < 60; t++) expect(toFrame(toX(t, width), width)).toBe(t);
  expect([toFrame(-50, 600), toFrame(5000, 600)]).toEqual([0, 59]);
  expect(axis(1).toFrame(300, 600)).toBe(0); // a clip of one frame
});

test("what is no number breaks a curve; a frame between two gaps is a run of its own", () => {
  const curve = Float32Array.from([1, 2, Number.NaN, 3, Number.NaN, Number.NaN, 4, 5]);
  expect(curveRuns(curve, 100)).toEqual([
    [
      [0, 1],
      [1, 2],
    ],
    [[3, 3]],
    [
      [6, 4],
      [7, 5],
    ],
  ]);
  expect(curveRuns(new Float32Array(5).fill(Number.NaN), 100)).toEqual([]);
});

test("a long curve keeps the extremes of each column", () => {
  const curve = Float32Array.from({ length: 4000 }, (_, t) => Math.sin(t / 3));
  curve[1234] = 9;
  curve[2345] = -9;
  const [run] = curveRuns(curve, 100);
  expect(run).toHaveLength(2 * 200);
  const values = run.map(([, value]) => value);
  expect([Math.max(...values), Math.min(...values)]).toEqual([9, -9]);
});

test("seconds are marked at the frames that are shown then, also where a clip's times are uneven", () => {
  const times = [0, 0.1, 0.9, 1.05, 1.1, 2.0, 2.05];
  expect(secondMarks(times, 200)).toEqual([
    [0, 0],
    [1, 3],
    [2, 5],
  ]);
  expect(secondMarks(times, 200, 0.5)).toEqual([
    [1, 2],
    [2, 5],
  ]);
  const long = Float64Array.from({ length: 9000 }, (_, t) => t / 30);
  const marks = secondMarks(long, 600);
  expect(marks[1][0] - marks[0][0]).toBe(60); // 300 s at 600 pixels: one per minute
  expect(marks.map(([s, t]) => long[t] - s).every((late) => late >= -1e-9 && late < 1 / 30)).toBe(true);
});

test("the timeline's lanes are the selected joint's, with their tops and words", () => {
  const n = 4;
  const header = /** @type {Header} */ (
    /** @type {unknown} */ ({
      n_frames: n, joints: ["head", "left_wrist"], channels: 2, calibrated: false,
      sureness: Float32Array.from([0.5, 0.1, 0.5, 0.2, 0.5, 0.3, 0.5, 0.25]),
      meanSureness: new Float32Array(n), speed: Float32Array.from([0, 0, 5, 50, 6, Number.NaN, 7, 20]),
      drift: Float32Array.from([0, 0.01, 0.04, 0.02]),
    }) // biome-ignore format: a table
  );
  const [score, speed, drift] = describeLanes(header, 1);
  expect([...score.curve].map((v) => v.toFixed(2))).toEqual(["0.10", "0.20", "0.30", "0.25"]);
  expect([score.top, speed.top]).toEqual([1, 50]);
  expect(drift.top).toBeCloseTo(0.04);
  expect([score.text(1), speed.text(1), speed.text(2), drift.text(0)]).toEqual(["0.200", "50 px/s", "–", "–"]);
  expect(score.name).toBe("score");
  expect(describeLanes({ ...header, calibrated: true }, 1)[0].name).toBe("confidence");
  const without = describeLanes({ ...header, channels: 0 }, 1)[2];
  expect([without.unit, without.label(1), [...without.curve].every(Number.isNaN)]).toEqual(["no kernels", "", true]);
});
