import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  cellAt,
  cellColours,
  cellOf,
  describeCell,
  FOOT,
  firstCell,
  GREY,
  GUTTER,
  largest,
  movedCell,
  nearest,
  pairOf,
  scaleEnds,
  ticks,
  valueAt,
} from "../../widgets/lineage/matrix.js";

// 3 × 4 cells; the rows are a sample of the frames.
/** @import { Matrix } from "../../widgets/lineage/messages.d.ts" */
/** @import { Cell } from "../../widgets/lineage/matrix.js" */

/** @type {Matrix} */
const matrix = {
  joint: "",
  centred: false,
  other: null,
  range: [0.2, 1],
  jumps: [],
  shares: [],
  values: Float32Array.of(1, 0.9, 0.8, 0.7, 0.3, 1, 0.2, 0.6, 0.5, NaN, 1, 0.4),
  rows: Int32Array.of(0, 10, 20),
  columns: Int32Array.of(0, 1, 2, 3),
  drift: new Float32Array(4),
  scores: new Float32Array(0),
  frames: new Int32Array(0),
};

describe("cells", () => {
  test("the nearest value, of equally near ones the first", () => {
    expect(nearest([0, 10, 20], 14)).toBe(1);
    expect(nearest([0, 10, 20], 15)).toBe(1);
    expect(nearest([0, 10, 20], 500)).toBe(2);
  });

  test("the largest value, NaN apart", () => {
    expect(largest(Float32Array.of(NaN, 2, 3, NaN), 1)).toBe(3);
    expect(largest(Float32Array.of(NaN), 1)).toBe(1);
  });

  test("a value is that of its row and column", () => {
    expect(valueAt(matrix, [1, 3])).toBeCloseTo(0.6);
  });

  test("frames and cells lead to each other; a cell outside is the nearest one inside", () => {
    /** @type {Cell[]} */
    const cells = [
      [0, 0],
      [2, 3],
      [1, 2],
    ];
    for (const cell of cells) expect(cellOf(matrix, pairOf(matrix, cell))).toEqual(cell);
    expect(pairOf(matrix, [-3, 9])).toEqual({ s: 0, t: 3 });
    expect(cellOf(matrix, { s: 16, t: 2 })).toEqual([2, 2]);
  });

  test("at first the frame of the cursor against the one least like it", () => {
    expect(firstCell(matrix, 2)).toEqual([1, 2]);
    expect(firstCell(matrix, 99)).toEqual([2, 3]);
    expect(firstCell(matrix, 1)).toEqual([0, 1]); // no direction is not the least
  });

  test("a first cell without a direction gives way to one with", () => {
    const values = Float32Array.from(matrix.values, (value, i) => (i === 2 ? NaN : value));
    expect(firstCell({ ...matrix, values }, 2)).toEqual([1, 2]);
  });

  test("the cell under the pointer, and at the rims the nearest", () => {
    /** @type {[number, number]} */
    const size = [GUTTER + 400, FOOT + 300];
    expect(cellAt(matrix, [GUTTER + 1, 1], size)).toEqual([0, 0]);
    expect(cellAt(matrix, [GUTTER + 399, 299], size)).toEqual([2, 3]);
    expect(cellAt(matrix, [GUTTER + 201, 99], size)).toEqual([0, 2]);
    expect(cellAt(matrix, [3, 310], size)).toEqual([2, 0]);
  });

  test("arrow keys move by 1, with Shift by 10; Enter stays; other keys are not for the matrix", () => {
    const press = (/** @type {string} */ key, shiftKey = false) => movedCell([4, 5], { key, shiftKey });
    expect(press("ArrowUp")).toEqual([3, 5]);
    expect(press("ArrowDown")).toEqual([5, 5]);
    expect(press("ArrowLeft", true)).toEqual([4, -5]);
    expect(press("ArrowRight")).toEqual([4, 6]);
    expect(press("Enter")).toEqual([4, 5]);
    expect(press("toString")).toBeNull();
    expect(press("n")).toBeNull();
  });
});

describe("words", () => {
  test("a cell says both frames and the cosine", () => {
    expect(describeCell(matrix, [1, 3])).toBe("s: frame 10 · t: frame 3 · cosine 0.6000");
    expect(describeCell(matrix, [2, 1])).toBe("s: frame 20 · t: frame 1 · cosine no direction");
    expect(describeCell({ ...matrix, other: "run" }, [0, 0])).toContain("s: run, frame 0 ·");
  });

  test("the ends of the scale have as many digits as tell them apart", () => {
    const known = { ...matrix, values: Float32Array.of(1) };
    expect(scaleEnds(known)).toEqual(["0.200", "1.000 cosine"]);
    expect(scaleEnds({ ...known, range: [0.99995, 1] })).toEqual(["0.9999500", "1.0000000 cosine"]);
    expect(scaleEnds({ ...matrix, range: [-1, 1], centred: true })).toEqual(["−1", "+1 cosine · grey: no direction"]);
  });

  test("frame numbers are round and leave room for each other", () => {
    const frames = Int32Array.from({ length: 40 }, (_, t) => t);
    expect(ticks(frames, 512)).toEqual([0, 5, 10, 15, 20, 25, 30, 35]);
    expect(ticks(frames, 100)).toEqual([0, 20]);
    expect(ticks(Int32Array.of(0, 7, 14, 21), 90)).toEqual([0, 1, 3]); // 0, 10, 20
    expect(ticks(Int32Array.of(5), 100)).toEqual([0]);
  });
});

describe("colours", () => {
  beforeEach(() => {
    vi.stubGlobal("document", { body: { dataset: { jpThemeLight: "true" } } });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("viridis from the least value to 1, grey without a direction", () => {
    const colour = cellColours(matrix);
    expect(colour(0.2)).toEqual([68, 1, 84]);
    expect(colour(1)).toEqual([253, 231, 37]);
    expect(colour(NaN)).toEqual(GREY);
  });

  test("where the mean was subtracted, purple below 0 and green above", () => {
    const colour = cellColours({ ...matrix, centred: true, range: [-1, 1] });
    const [purple, green] = [colour(-0.8), colour(0.8)];
    expect(purple[0]).toBeGreaterThan(purple[1]);
    expect(green[1]).toBeGreaterThan(green[0]);
    expect(colour(NaN)).toEqual(GREY);
  });
});
