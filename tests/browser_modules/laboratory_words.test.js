// What the laboratory says and asks for: the lane's sentence, the curves, forms as calls, undo by keys, rectangles.

/** @import { Recovery } from "../../widgets/laboratory/effect.js" */

import { describe, expect, it } from "vitest";
import { undoKey } from "../../widgets/laboratory/done.js";
import { curves, progress, sentence } from "../../widgets/laboratory/effect.js";
import { cellText, digitsFor, inkOn } from "../../widgets/laboratory/kernel_cells.js";
import { between, inFrame } from "../../widgets/laboratory/rectangle.js";
import { counterpart, stepOf } from "../../widgets/laboratory/step.js";

const recovery = {
  first: 4,
  peak: 0.4125,
  peak_frame: 6,
  peak_joint: "left_wrist",
  recovered: 10,
  frames: 3,
  lasts: false,
  tolerance: 0.05,
};
/** @type {(changes: Partial<Recovery>, frames?: number) => string} */
const say = (changes, frames = 12) => sentence({ recovery: { ...recovery, ...changes }, frames, of: 12 });
const LARGEST = "first differs in frame 4 · largest 0.412 of the box in frame 6 (left wrist)";

describe("the lane's sentence", () => {
  it("says when the track leaves, how far, and when it is back", () => {
    expect(say({})).toBe(`${LARGEST} · back after 3 frames (frame 10)`);
    expect(say({ frames: 1, recovered: 8 })).toBe(`${LARGEST} · back after 1 frame (frame 8)`);
  });

  it("says that it is not back, and whether that can still change", () => {
    expect(say({ frames: null, recovered: null })).toBe(`${LARGEST} · not back`);
    expect(say({ frames: null, recovered: null }, 9)).toBe(`${LARGEST} · not back yet`);
    expect(say({ frames: null, recovered: null, lasts: true })).toBe(`${LARGEST} · lasts to the end`);
  });

  it("says that nothing happened", () => {
    expect(sentence({ recovery: null, frames: 12, of: 12 })).toBe("no interventions: both runs are the same");
    const calm = { first: null, peak: 0.03, frames: 0 };
    const largest = "largest 0.030 of the box in frame 6 (left wrist)";
    expect(say(calm)).toBe(`never more than 0.05 of the box apart · ${largest}`);
    expect(say(calm, 9)).toBe(`never more than 0.05 of the box apart so far · ${largest}`);
  });
});

describe("the lane's curves", () => {
  it("are the worst joint and the selected one, per computed frame", () => {
    const distances = Float32Array.from([0, 1, 2, 5, 4, 3]);
    expect(curves({ distances, frames: 2 }, 3, 1)).toEqual({ worst: [2, 5], mine: [1, 4] });
    expect(curves({ distances, frames: 1 }, 3, 0)).toEqual({ worst: [2], mine: [0] });
  });
});

describe("progress", () => {
  it("says what is missing", () => {
    const computing = "computing … frame 8 of 12";
    expect(progress({ of: 12, waits: false }, 9, 8, "x")).toEqual({ isMissing: true, computing, note: computing });
    expect(progress({ of: 12, waits: false }, 7, 8, "x")).toEqual({ isMissing: false, computing, note: computing });
    expect(progress({ of: 12, waits: true }, 7, 12, "x").note).toBe("waiting for its frames …");
    expect(progress({ of: 12, waits: false }, 7, 12, "x").note).toBe("x");
  });
});

describe("a form as a call", () => {
  const blur = { method: "blur", fixed: {} };

  it("turns a number of frames into a range", () => {
    expect(stepOf(blur, { frames: 3, sigma: 1 }, "4", 20)).toEqual({
      name: "blur",
      arguments: { frames: [3, 7], sigma: 1 },
    });
    expect(stepOf({ method: "erase", fixed: {} }, { frames: 5 }, "1", 20).arguments).toEqual({ frames: [5, 6] });
  });

  it("goes to the end where the number is empty, and not beyond", () => {
    expect(stepOf(blur, { frames: 3 }, "", 20).arguments.frames).toEqual([3, 20]);
    expect(stepOf(blur, { frames: 18 }, "10", 20).arguments.frames).toEqual([18, 20]);
    // Python says what is wrong with frame 25.
    expect(stepOf(blur, { frames: 25 }, "10", 20).arguments.frames).toEqual([25, 26]);
    expect(stepOf(blur, { frames: 25 }, "", 20).arguments.frames).toEqual([25, 26]);
  });

  it("has the fixed arguments, and one frame where no number is asked for", () => {
    const form = { method: "change_state", fixed: { change: "shift" } };
    expect(stepOf(form, { frame: 2 }, null, 20).arguments).toEqual({ change: "shift", frame: 2 });
  });
});

describe("the joint to swap with", () => {
  const joints = ["head", "left_wrist", "right_wrist"];
  it("is the one on the other side, or any other", () => {
    expect(counterpart("left_wrist", joints)).toBe("right_wrist");
    expect(counterpart("right_wrist", joints)).toBe("left_wrist");
    expect(counterpart("head", joints)).toBe("left_wrist");
    expect(counterpart("left_wrist", ["left_wrist", "head"])).toBe("head");
  });
});

describe("undo by keys", () => {
  /** @type {(name: string, more?: Partial<KeyboardEvent>) => string | null} */
  const key = (name, more = {}) =>
    undoKey({ key: name, ctrlKey: true, metaKey: false, altKey: false, shiftKey: false, ...more });
  it("knows undo and redo on all systems", () => {
    expect(key("z")).toBe("undo");
    expect(key("Z", { shiftKey: true })).toBe("redo");
    expect(key("y")).toBe("redo");
    expect(key("z", { ctrlKey: false, metaKey: true })).toBe("undo");
  });
  it("leaves other keys alone", () => {
    expect(key("z", { ctrlKey: false })).toBe(null);
    expect(key("z", { altKey: true })).toBe(null);
    expect(key("a")).toBe(null);
  });
});

describe("a rectangle", () => {
  it("lies between two points, whichever comes first", () => {
    expect(between([40.4, 10], [20, 30.6])).toEqual([20, 10, 40, 31]);
  });
  it("stays in the frame", () => {
    const picture = { scale: 0.5, left: 10, top: 0 };
    const canvas = { left: 100, top: 50 };
    expect(inFrame({ clientX: 160, clientY: 70 }, canvas, picture, [640, 480])).toEqual([100, 40]);
    expect(inFrame({ clientX: 0, clientY: 900 }, canvas, picture, [640, 480])).toEqual([0, 480]);
  });
});

describe("a cell's number", () => {
  it("has two digits of the largest value, and a sign", () => {
    expect(digitsFor(0.3)).toBe(2);
    expect(digitsFor(0.04)).toBe(3);
    expect(digitsFor(20)).toBe(0);
    expect(cellText(0.254, 0.3)).toBe("+.25");
    expect(cellText(-1.5, 3)).toBe("−1.5");
    expect(cellText(0, 3)).toBe("0");
  });
  it("is black on bright colours and white on dark ones", () => {
    expect([inkOn([247, 247, 247]), inkOn([27, 120, 55])]).toEqual(["#000", "#fff"]);
  });
});
