// A live page's arithmetic without a browser: peaks, squares, the order of frames, covers, and what was changed.

import { describe, expect, it } from "vitest";
import { Order } from "../../widgets/live_page/capture.js";
import { cover, coversOf } from "../../widgets/live_page/covers.js";
import { worstFrames } from "../../widgets/live_page/moments.js";
import { closure } from "../../widgets/live_page/parts.js";
import { confidenceOf, decodePeaks } from "../../widgets/live_page/peaks.js";
import { extract } from "../../widgets/live_page/pixels.js";
import { gathered } from "../../widgets/live_page/run.js";
import { boundedSquare, roundEven, toFrame, toGrid } from "../../widgets/live_page/squares.js";

describe("peaks", () => {
  const gaussian = (/** @type {number} */ x, /** @type {number} */ y, size = 12, sigma = 1.25) =>
    Float32Array.from({ length: size * size }, (_, i) =>
      Math.exp(-(((i % size) - x) ** 2 + (Math.floor(i / size) - y) ** 2) / (2 * sigma ** 2)),
    );

  it("are exact for a Gaussian between cells", () => {
    const maps = new Float32Array([...gaussian(4.3, 6.8), ...gaussian(7, 3)]);
    const { cells, peaks, scores } = decodePeaks(maps, [12, 12]);
    expect(cells).toEqual([4, 7, 7, 3]);
    [4.3, 6.8, 7, 3].forEach((wanted, i) => {
      expect(peaks[i]).toBeCloseTo(wanted, 4);
    });
    expect(scores[1]).toBe(1);
  });

  it("stay in the middle of a cell at the border, and beside values that are not positive", () => {
    const maps = new Float32Array(16);
    maps[3] = 0.5; // the corner
    expect(decodePeaks(maps, [4, 4]).peaks).toEqual([3, 0]);
    maps[9] = 0.7;
    expect(decodePeaks(maps, [4, 4]).peaks).toEqual([1, 2]);
  });

  it("have the confidence of a curve that is constant beyond its ends", () => {
    const curve = { scores: [0.1, 0.5], probabilities: [0.2, 0.8] };
    expect([0, 0.1, 0.3, 0.5, 0.9].map((score) => confidenceOf(score, curve))).toEqual([0.2, 0.2, 0.5, 0.8, 0.8]);
    expect([-1, 0.4, 2].map((score) => confidenceOf(score, null))).toEqual([0, 0.4, 1]);
  });
});

describe("squares", () => {
  it("round halves to even numbers, as Python does", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 1.2].map((value) => roundEven(value) + 0)).toEqual([0, 2, 2, 0, -2, 1]);
  });

  it("go a limited way and stay below a limited side", () => {
    const limits = { margin: 1.3, reach: 5, largest: 90 };
    const [left, top, side] = boundedSquare([0, 0, 100], [300, 50, 380, 60], limits, [500, 500]);
    expect(side).toBe(90);
    expect(Math.hypot(left + side / 2 - 50, top + side / 2 - 50)).toBeCloseTo(5, 0);
    const near = boundedSquare([0, 0, 100], [45, 20, 55, 80], { margin: 1.3, reach: 50, largest: 900 }, [500, 500]);
    expect(near[2]).toBeCloseTo(0.8 * 100 + 0.2 * 78, 0);
  });

  it("have a grid, and the way back", () => {
    /** @type {import("../../widgets/live_page/squares.js").Square} */
    const square = [10, 20, 24];
    const points = [13.5, 30, 25, 41];
    toFrame(square, toGrid(square, points, 48), 48).forEach((value, i) => {
      expect(value).toBeCloseTo(points[i], 9);
    });
  });

  it("map the corners' cells half a cell inside the square", () => {
    expect([...toFrame([10, 20, 24], [0, 0, 23, 23], 24)]).toEqual([10, 20, 33, 43]);
  });

  it("are cut out unchanged where a pixel of the input is one of the frame, and grey outside", () => {
    const data = Uint8Array.from({ length: 4 * 36 }, (_, i) => i);
    const found = extract({ data, width: 6, height: 6 }, [-1, 2, 4], 4);
    expect(found[0]).toBeCloseTo(128 / 255, 6);
    expect(found[1]).toBeCloseTo((4 * 12) / 255, 6); // red of the first pixel in row 2
    expect(found[16 + 2]).toBeCloseTo((4 * 13 + 1) / 255, 6); // green of the one beside it
  });
});

describe("the frames of a video", () => {
  const judged = (/** @type {number[]} */ times) => {
    const order = new Order();
    return times.map((time) => order.judge(time));
  };

  it("are taken once each", () => {
    expect(judged([0, 0, 0.04, 0.04, 0.08])).toEqual(["next", "old", "next", "old", "next"]);
  });

  it("are looked at again where one may be missing, and found", () => {
    expect(judged([0, 0.04, 0.12, 0.04, 0.08, 0.12])).toEqual(["next", "next", "gap", "old", "next", "next"]);
  });

  it("may have a gap of their own, which is the same the second time", () => {
    expect(judged([0, 0.04, 0.2, 0.04, 0.2, 0.24])).toEqual(["next", "next", "gap", "old", "next", "next"]);
  });

  it("are looked at again until nothing comes earlier", () => {
    expect(judged([0, 0.04, 0.2, 0.16, 0.08, 0.12])).toEqual(["next", "next", "gap", "gap", "next", "next"]);
  });
});

describe("changes", () => {
  it("are gathered by what they act on", () => {
    /** @type {import("../../widgets/live_page/squares.js").Box} */
    const box = [1, 2, 30, 40];
    /** @type {import("../../widgets/laboratory/kernel_edits.js").KernelEdit} */
    const zero = { operation: "zero", channels: [3] };
    const { boxes, operations, covers } = gathered([
      { kind: "box", frame: 0, box: [0, 0, 9, 9] },
      { kind: "edit", frame: 4, edits: [zero] },
      { kind: "box", frame: 0, box },
      { kind: "edit", frame: 4, edits: [{ operation: "rotate", channels: [1], amount: 90 }] },
      { kind: "cover", frame: 2, cover: { kind: "cover", box, from: 2, to: 5 } },
    ]);
    expect(boxes.get(0)).toBe(box);
    expect(operations.map((one) => one.kind === "edit" && [one.edit.operation, ...one.frames])).toEqual([
      ["zero", 4, 5],
      ["rotate", 4, 5],
    ]);
    expect([1, 2, 5, 6].map((frame) => coversOf(covers, frame).length)).toEqual([0, 1, 1, 0]);
  });

  it("cover and blur only their rectangle, and a blur keeps what is even", () => {
    const picture = () => ({ data: new Uint8ClampedArray(4 * 100).fill(40), width: 10, height: 10 });
    const grey = cover(picture(), [{ kind: "cover", box: [2, 3, 5, 6], from: 0, to: 9 }]).data;
    expect(grey.filter((value) => value === 128).length).toBe(3 * 9);
    expect(grey[4 * (3 * 10 + 2)]).toBe(128);
    const even = cover(picture(), [{ kind: "blur", box: [0, 0, 10, 10], from: 0, to: 9 }]).data;
    expect(new Set(even)).toEqual(new Set([40]));
  });
});

describe("the worker's modules", () => {
  it("come after those that they import, once each", () => {
    const module = (/** @type {string} */ name, /** @type {string[]} */ ...imports) =>
      /** @type {const} */ ([
        name,
        { name, source: "", imports: Object.fromEntries(imports.map((one) => [one, one])) },
      ]);
    const modules = new Map([module("a", "b", "c"), module("b", "c"), module("c"), module("d")]);
    expect(closure("a", modules).map(({ name }) => name)).toEqual(["c", "b", "a"]);
    expect(() => closure("e", modules)).toThrow("no module e");
  });
});

describe("worst moments", () => {
  // Random numbers with one or two digits, so that some are equal, and what Python's worst_frames finds in them.
  const scores = [
    0.1, 0.2, 0.8, 0.6, 0.1, 0.4, 0.5, 0.2, 0.7, 0.1, 0.4, 0.5, 0.4, 0.6, 0.7, 1.0, 0.3, 0.6, 0.7, 0.3, 0.0, 1.0, 0.3,
    0.3, 0.9, 0.6, 0.5, 0.8, 0.0, 0.7, 0.4, 0.1, 0.7, 0.9, 0.2, 0.6, 0.3, 0.7, 0.7, 0.2,
  ];
  const drift = [
    0.17, 0.13, 0.14, 0.16, 0.09, 0.15, 0.18, 0.02, 0.17, 0.08, 0.1, 0.03, 0.14, 0.06, 0.17, 0.06, 0.11, 0.08, 0.12,
    0.04, 0.04, 0.15, 0.15, 0.11, 0.18, 0.04, 0.17, 0.03, 0.19, 0.12, 0.12, 0.19, 0.16, 0.16, 0.01, 0.07, 0.02, 0.04,
    0.04, 0.17,
  ];

  it("are those that Python finds", () => {
    expect(worstFrames(scores, drift, 10)).toEqual([0, 3, 4, 6, 9, 14, 20, 24, 28, 31, 34, 39]);
    expect(worstFrames(scores, drift, 30)).toEqual([0, 6, 20, 28]);
  });

  it("are none where nothing changes or nothing is known", () => {
    expect(worstFrames([1, 1, 1, 1], [0, 0, 0, 0], 30)).toEqual([]);
    expect(worstFrames([Number.NaN], [0], 30)).toEqual([]);
  });
});
