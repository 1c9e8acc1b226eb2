import { describe, expect, test } from "vitest";
import {
  barLength,
  countNote,
  describeMoment,
  filtered,
  inWhich,
  isAbout,
  largestSeverity,
  momentsAt,
  nextRow,
  rowOfKey,
  severities,
  spanText,
  tenths,
} from "../../widgets/coherence/moments.js";

/** @import { Moment } from "../../widgets/coherence/messages.d.ts" */

/**
 * @param {Partial<Moment>} changes
 * @returns {Moment}
 */
const moment = (changes) => ({
  frame: 30,
  first: 30,
  last: 31,
  joint: "right_wrist",
  reason: "jump",
  severity: 6,
  text: "It jumps.",
  which: 0,
  other: null,
  ...changes,
});
const JUMP = moment({});
const FLIP = moment({ reason: "flip", joint: "left_ankle", severity: 2 });
const DRIFT = moment({ reason: "drift", joint: null, severity: 1.5 });
const ALL = [JUMP, FLIP, DRIFT];

describe("filters", () => {
  test("let everything through, a reason, a joint, or both", () => {
    expect(filtered(ALL, { reason: "", joint: null })).toEqual(ALL);
    expect(filtered(ALL, { reason: "flip", joint: null })).toEqual([FLIP]);
    expect(filtered(ALL, { reason: "", joint: "right_wrist" })).toEqual([JUMP, DRIFT]);
    expect(filtered(ALL, { reason: "jump", joint: "head" })).toEqual([]);
  });

  test("a flip is about both sides, a drift about all joints, a jump about its own joint", () => {
    expect(isAbout(FLIP, "right_ankle")).toBe(true);
    expect(isAbout(FLIP, "left_ankle")).toBe(true);
    expect(isAbout(FLIP, "right_knee")).toBe(false);
    expect(isAbout(moment({ joint: "left_wrist" }), "right_wrist")).toBe(false);
    expect(isAbout(DRIFT, "head")).toBe(true);
  });
});

describe("words", () => {
  test("how many there are", () => {
    expect([0, 7, 60, 61].map(countNote)).toEqual(["none found", "7 found", "60 found", "the first 60 of 61"]);
  });

  test("in which trace, and how severe in either", () => {
    const told = (/** @type {Partial<Moment>} */ changes) => [inWhich(moment(changes)), severities(moment(changes))];
    expect(told({ other: null })).toEqual(["A", "A 6.0, B not measured"]);
    expect(told({ other: 0.4 })).toEqual(["A", "A 6.0, B nothing"]);
    expect(told({ other: 12.4 })).toEqual(["both", "A 6.0, B 12"]);
    expect(told({ which: 1, other: 0 })).toEqual(["B", "B 6.0, A nothing"]);
  });

  test("one number for one frame, the span for several", () => {
    expect(spanText(JUMP)).toBe("30–31");
    expect(spanText(moment({ last: 30 }))).toBe("30");
  });

  test("all of it in a sentence, the second trace only where there is one", () => {
    expect(describeMoment(moment({ other: 0 }), true)).toBe(
      "jump, frames 30–31, worst in 30, severity 6.0; in A: A 6.0, B nothing: It jumps.",
    );
    expect(describeMoment(moment({ last: 30 }), false)).toBe("jump, frame 30, severity 6.0: It jumps.");
  });

  test("severities have a decimal only below 10", () => {
    expect([1, 9.94, 10, 123.4].map(tenths)).toEqual(["1.0", "9.9", "10", "123"]);
  });
});

test("bars grow with the logarithm, up to the largest severity", () => {
  expect(largestSeverity([])).toBe(1);
  expect(largestSeverity(ALL)).toBe(6);
  expect(barLength(6, 6)).toBe(100);
  expect(barLength(1, 1000)).toBeGreaterThan(10);
});

test("the tooltip names three moments at a frame and counts the rest", () => {
  const five = [JUMP, FLIP, DRIFT, moment({ first: 20, last: 40 }), moment({ first: 29 })];
  expect(momentsAt(five, 30)).toEqual({ named: [JUMP, FLIP, DRIFT], more: 2 });
  expect(momentsAt(five, 20)).toEqual({ named: [five[3]], more: 0 });
  expect(momentsAt(five, 50)).toEqual({ named: [], more: 0 });
});

describe("keys", () => {
  test("N goes from none to the first row and stops at the last; P stops at the first", () => {
    expect(nextRow(-1, 1, 3)).toBe(0);
    expect(nextRow(2, 1, 3)).toBe(2);
    expect(nextRow(0, -1, 3)).toBe(0);
    expect(nextRow(-1, -1, 3)).toBe(0);
  });

  test("arrows, Home and End move the focus in the list; other keys do not", () => {
    expect(["ArrowUp", "ArrowDown", "Home", "End", "Enter", "toString"].map((key) => rowOfKey(key, 4, 9))).toEqual([
      3,
      5,
      0,
      8,
      null,
      null,
    ]);
  });
});
