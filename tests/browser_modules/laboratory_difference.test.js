// Which cells of two maps differ, and by how much: also where the two runs looked at other squares of the frame.

import { describe, expect, it } from "vitest";
import { difference, mapValues, resampled, whereLargest } from "../../widgets/laboratory/difference.js";

const SIZE = /** @type {[number, number]} */ ([4, 4]);
const ramp = Float32Array.from({ length: 16 }, (_, i) => (i % 4) + 10 * Math.floor(i / 4)); // x + 10 y

describe("a map at another square", () => {
  it("is itself at its own square", () => {
    expect([...resampled(ramp, SIZE, [8, 16, 32], [8, 16, 32])]).toEqual([...ramp]);
  });

  it("is interpolated between the cells' centres", () => {
    const half = resampled(ramp, SIZE, [0, 0, 32], [4, 0, 32]); // half a cell to the right
    expect([...half.subarray(0, 3)]).toEqual([0.5, 1.5, 2.5]);
    expect(half[3]).toBe(3); // the last half cell repeats the edge
  });

  it("is unknown outside its square", () => {
    const moved = resampled(ramp, SIZE, [0, 0, 32], [16, 8, 32]); // two cells right, one down
    expect([...moved.subarray(0, 4)]).toEqual([12, 13, NaN, NaN]);
    expect([...moved.subarray(12)].every(Number.isNaN)).toBe(true);
  });

  it("follows the scale of the other square", () => {
    const wide = resampled(ramp, SIZE, [0, 0, 32], [0, 0, 16]); // half the side: cells are half as wide
    expect([...wide.subarray(0, 4)]).toEqual([0, 0.25, 0.75, 1.25]);
  });
});

describe("the difference", () => {
  it("is the second minus the first, with its largest cell and a limit for the colours", () => {
    const values = ramp.slice();
    values[6] += 0.07;
    values[9] -= 0.3;
    const found = difference({ values: ramp, square: [0, 0, 32] }, { values, square: [0, 0, 32] }, SIZE);
    expect(found.at).toBe(9);
    expect(found.largest).toBeCloseTo(0.3, 5);
    expect(found.limit).toBe(0.5);
    expect(found.apart.filter((v) => v !== 0).length).toBe(2);
    expect(whereLargest(found, 4)).toBe("largest −0.30 in cell (1, 2)");
  });

  it("of equal maps is none", () => {
    const one = { values: ramp, square: /** @type {[number, number, number]} */ ([0, 0, 32]) };
    const found = difference(one, one, SIZE);
    expect([found.largest, whereLargest(found, 4)]).toEqual([0, "no difference"]);
  });

  it("is found where the first cells are unknown", () => {
    const values = ramp.slice();
    const found = difference({ values: ramp, square: [8, 0, 32] }, { values, square: [0, 0, 32] }, SIZE);
    expect(Number.isNaN(found.apart[0])).toBe(true);
    expect(found.largest).toBe(1); // one cell to the right is 1 more
    expect(found.apart[found.at]).toBe(1);
  });
});

describe("a map of a record", () => {
  it("is read over the range of its bytes", () => {
    const header = {
      map: /** @type {[number, number]} */ ([2, 1]),
      map_range: /** @type {[number, number]} */ ([-1, 1]),
    };
    const maps = Uint8Array.from([0, 255, 51, 204]);
    expect([...mapValues(header, { maps }, 0)]).toEqual([-1, 1]);
    expect(mapValues(header, { maps }, 1)[0]).toBeCloseTo(-0.6, 6);
  });
});
