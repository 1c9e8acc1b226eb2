// What the kernel editor keeps: strokes, edits per frame, the preview, and the calls that are sent to Python.

import { beforeEach, describe, expect, it } from "vitest";
import { EditedKernels } from "../../widgets/laboratory/edited_kernels.js";
import { movedCell, paintedByKey } from "../../widgets/laboratory/kernel_cells.js";
import { editKernels, matchedMap } from "../../widgets/laboratory/kernel_edits.js";
import { matchingStep } from "./matching_step.js";

const { header, detail } = matchingStep({ channels: 3, map: [5, 4], kernel: 3, frame: 7 });
const other = { ...matchingStep({ channels: 3, map: [5, 4], kernel: 3, frame: 9 }).detail };
/** @type {EditedKernels} */
let edited;

/** @type {(found: ArrayLike<number> | null | undefined, expected: ArrayLike<number>) => void} */
function expectClose(found, expected) {
  expect(found?.length).toBe(expected.length);
  Array.from(expected).forEach((value, i) => {
    expect(found?.[i]).toBeCloseTo(value, 6);
  });
}

beforeEach(() => {
  edited = new EditedKernels();
  edited.show(header, detail, 7, 1);
});

describe("what is shown", () => {
  it("is nothing until the exact numbers of the frame have arrived", () => {
    expect(edited.show(header, detail, 8, 1)).toBe(null);
    expect(edited.show(header, null, 7, 1)).toBe(null);
    edited.edit({ operation: "zero", channels: [0] });
    expect([edited.preview(), edited.steps()]).toEqual([null, []]);
  });

  it("is nothing where the initializer made the maps", () => {
    expect(edited.show({ ...header, initial: new Set([7]) }, detail, 7, 1)).toBe(null);
  });

  it("is not computed again while frame, joint and run are the same", () => {
    const before = edited.now;
    expect(edited.show(header, detail, 7, 1)).toBe(before);
    expect(edited.show(header, detail, 7, 0)).not.toBe(before);
  });

  it("has no preview without edits", () => {
    expect(edited.preview()).toBe(null);
  });
});

describe("a stroke", () => {
  it("gives a cell the value and updates the map", () => {
    expect(edited.paint(2, [1, 0], 0.75)).toBe(true);
    expect(edited.kernel(2)[1]).toBe(0.75);
    expect(edited.original(2)[1]).toBe(detail.kernels[2 * 9 + 1]);
    const values = [...detail.kernels.subarray(18, 27)];
    values[1] = 0.75;
    const kernels = editKernels(detail.kernels, 3, { operation: "paint", channels: [2], values });
    const expected = matchedMap(header, detail, kernels, 1);
    expectClose(edited.preview(), expected);
  });

  it("is one edit, however many cells it has", () => {
    edited.paint(2, [0, 0], 1);
    edited.paint(2, [1, 0], 1);
    edited.paint(2, [1, 1], 0);
    expect(edited.edits().length).toBe(1);
    expect(edited.steps()[0].arguments.values).toEqual([
      [1, 1, detail.kernels[20]],
      [detail.kernels[21], 0, detail.kernels[23]],
      [detail.kernels[24], detail.kernels[25], detail.kernels[26]],
    ]);
  });

  it("on another channel, or after a button, is another edit", () => {
    edited.paint(2, [0, 0], 1);
    edited.paint(1, [0, 0], 1);
    edited.edit({ operation: "blur", channels: [1], amount: 0.7 });
    edited.paint(1, [0, 0], 1);
    expect(edited.edits().map(({ operation }) => operation)).toEqual(["paint", "paint", "blur", "paint"]);
  });

  it("that changes nothing is none", () => {
    edited.paint(0, [2, 2], 0.1);
    const { version } = edited;
    expect(edited.paint(0, [2, 2], 0.1)).toBe(false);
    expect([edited.version, edited.edits().length]).toEqual([version, 1]);
  });
});

describe("edits", () => {
  it("stay with their frame", () => {
    edited.edit({ operation: "zero", channels: [0] });
    edited.show(header, other, 9, 1);
    expect(edited.edits()).toEqual([]);
    expect(edited.preview()).toBe(null);
    edited.show(header, detail, 7, 1);
    expect(edited.edits().length).toBe(1);
    expect(edited.kernel(0).every((v) => v === 0)).toBe(true);
  });

  it("are sent as calls on the frame that they were distilled from", () => {
    edited.edit({ operation: "rotate", channels: [1], amount: 90 });
    edited.edit({ operation: "solo", channels: [0, 1] });
    expect(edited.steps()).toEqual([
      { name: "edit_kernel", arguments: { frames: 6, operation: "rotate", channels: [1], amount: 90 } },
      { name: "edit_kernel", arguments: { frames: 6, operation: "solo", channels: [0, 1] } },
    ]);
  });

  it("are undone by a reset, of this frame only", () => {
    edited.show(header, other, 9, 1);
    edited.edit({ operation: "zero", channels: [1] });
    edited.show(header, detail, 7, 1);
    edited.paint(2, [0, 0], 5);
    edited.reset();
    expect([edited.preview(), edited.steps()]).toEqual([null, []]);
    expectClose(edited.now?.kernels, detail.kernels);
    expectClose(edited.now?.map, matchedMap(header, detail, detail.kernels, 1));
    edited.show(header, other, 9, 1);
    expect(edited.edits().length).toBe(1);
  });

  it("are forgotten with the run", () => {
    edited.edit({ operation: "zero", channels: [0] });
    edited.forget();
    edited.show(header, detail, 7, 1);
    expect(edited.edits()).toEqual([]);
  });
});

describe("keys on the kernel", () => {
  it("move within its edges", () => {
    expect(movedCell("ArrowRight", [1, 2], 5)).toEqual([2, 2]);
    expect(movedCell("ArrowUp", [1, 0], 5)).toEqual([1, 0]);
    expect(movedCell("ArrowDown", [4, 4], 5)).toEqual([4, 4]);
    expect(movedCell("a", [1, 1], 5)).toBe(null);
  });

  it("add a twentieth of the brush's span, clear, or paint its value", () => {
    const brush = { value: 0.6, most: 2 };
    expect(paintedByKey("+", 0.25, brush)).toBeCloseTo(0.35, 9);
    expect(paintedByKey("=", 0.25, brush)).toBeCloseTo(0.35, 9);
    expect(paintedByKey("-", 0.25, brush)).toBeCloseTo(0.15, 9);
    expect(paintedByKey("0", 0.25, brush)).toBe(0);
    expect(paintedByKey("Enter", 0.25, brush)).toBe(0.6);
    expect(paintedByKey("x", 0.25, brush)).toBe(null);
  });
});
