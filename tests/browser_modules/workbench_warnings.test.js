// Which warnings about the video belong to a frame, and where their bars lie.

import { expect, test } from "vitest";
import { runsOf, warningsAt } from "../../widgets/workbench/timeline_warnings.js";

const HEADER = {
  n_frames: 20,
  warnings: [
    { kind: "damaged", text: "3 frames are damaged", frames: [4, 5, 9] },
    { kind: "gap", text: "frames are missing", frames: [9] },
    { kind: "track", text: "there are other tracks", frames: [] },
  ],
};

test("a warning belongs to its frames; a gap lies between two frames and belongs to both", () => {
  const kinds = (/** @type {number} */ frame) => warningsAt(HEADER, frame).map(({ kind }) => kind);
  expect(kinds(4)).toEqual(["damaged"]);
  expect(kinds(9)).toEqual(["damaged", "gap"]);
  expect(kinds(10)).toEqual(["gap"]);
  expect(kinds(11)).toEqual([]);
});

test("adjacent frames are one bar", () => {
  expect(runsOf([4, 5, 9, 11, 12, 13])).toEqual([
    [4, 5],
    [9, 9],
    [11, 13],
  ]);
  expect(runsOf([])).toEqual([]);
});
