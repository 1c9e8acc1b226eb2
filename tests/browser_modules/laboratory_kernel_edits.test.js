// Edits of kernels: what each does, and that the map that is updated is the one that is computed from all kernels.

/** @import { Detail, Header } from "../../widgets/core/types.d.ts" */

import { describe, expect, it } from "vitest";
import {
  blurred,
  changedChannels,
  editKernels,
  matchedMap,
  rotated,
  updateMap,
} from "../../widgets/laboratory/kernel_edits.js";
import { matchingStep } from "./matching_step.js";

/** @type {(found: ArrayLike<number>, expected: ArrayLike<number>, digits?: number) => void} */
const close = (found, expected, digits = 6) => {
  expect(found.length).toBe(expected.length);
  Array.from(expected).forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, digits);
  });
};

/**
 * H[j](x, y) by the formula, cell by cell.
 *
 * @type {(header: Header, detail: Detail, kernels: Float32Array, joint: number) => number[]}
 */
function naiveMap({ kernel: side, map: [width, height], channels, readout, bias }, { projected }, kernels, joint) {
  const reach = (side - 1) / 2;
  const out = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let value = bias[joint];
      for (let c = 0; c < channels; c++)
        for (let dy = -reach; dy <= reach; dy++)
          for (let dx = -reach; dx <= reach; dx++) {
            const [u, v] = [x + dx, y + dy];
            if (u < 0 || v < 0 || u >= width || v >= height) continue;
            const weight = kernels[(c * side + dy + reach) * side + dx + reach];
            value += readout[joint * channels + c] * weight * projected[(c * height + v) * width + u];
          }
      out.push(value);
    }
  return out;
}

describe("edits", () => {
  it("rotates counter-clockwise, as numpy.rot90 does", () => {
    const kernel = Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...rotated(kernel, 3)]).toEqual([2, 5, 8, 1, 4, 7, 0, 3, 6]);
  });

  it("returns to the same kernel after four rotations", () => {
    const kernel = Float32Array.from({ length: 25 }, (_, i) => Math.sin(i));
    let turned = kernel;
    for (let i = 0; i < 4; i++) turned = rotated(turned, 5);
    expect([...turned]).toEqual([...kernel]);
  });

  it("blurs as OpenCV does, with zeros outside", () => {
    const kernel = new Float32Array(25);
    [kernel[0], kernel[13]] = [1, -0.5];
    // dkd.tracking.interventions.edit(kernel, "blur", (0,), amount=0.7)
    const expected = [
      [0.324724, 0.117, 0.004493, -0.002707, -0.000988],
      [0.11704, 0.041201, -0.019119, -0.058511, -0.021095],
      [0.005465, -0.000765, -0.058431, -0.162362, -0.058523],
      [0.000027, -0.000976, -0.021094, -0.058523, -0.021095],
      [0, -0.000046, -0.000988, -0.002741, -0.000988],
    ];
    close(blurred(kernel, 5, 0.7), expected.flat(), 5);
  });

  it("acts on the chosen channels only, and leaves the given array alone", () => {
    const kernels = Float32Array.from({ length: 3 * 9 }, (_, i) => i + 1);
    const before = kernels.slice();
    const zeroed = editKernels(kernels, 3, { operation: "zero", channels: [1] });
    expect([...zeroed.subarray(9, 18)]).toEqual(Array(9).fill(0));
    expect([...zeroed.subarray(0, 9)]).toEqual([...before.subarray(0, 9)]);
    expect([...zeroed.subarray(18)]).toEqual([...before.subarray(18)]);
    expect([...kernels]).toEqual([...before]);
  });

  it("keeps only the chosen channels with solo", () => {
    const kernels = Float32Array.from({ length: 3 * 9 }, (_, i) => i + 1);
    const solo = editKernels(kernels, 3, { operation: "solo", channels: [0, 2] });
    expect(changedChannels(kernels, solo, 9)).toEqual([1]);
    expect(solo.subarray(9, 18).every((v) => v === 0)).toBe(true);
  });

  it("paints the values it is given", () => {
    const values = [9, 8, 7, 6, 5, 4, 3, 2, 1];
    const painted = editKernels(new Float32Array(18), 3, { operation: "paint", channels: [1], values });
    expect([...painted]).toEqual([...Array(9).fill(0), ...values]);
  });
});

describe("the map that follows", () => {
  const { header, detail } = matchingStep({ channels: 4, map: [6, 5], kernel: 3, joints: 2 });

  it("is the formula of the matching step", () => {
    for (const joint of [0, 1])
      close(matchedMap(header, detail, detail.kernels, joint), naiveMap(header, detail, detail.kernels, joint));
  });

  it("is the same when it is updated by the differences of few kernels", () => {
    const after = editKernels(detail.kernels, 3, { operation: "rotate", channels: [2], amount: 90 });
    const map = matchedMap(header, detail, detail.kernels, 1);
    updateMap(map, header, detail, detail.kernels, after, 1);
    close(map, naiveMap(header, detail, after, 1));
  });

  it("is the same when most kernels differ", () => {
    const after = editKernels(detail.kernels, 3, { operation: "solo", channels: [0] });
    const map = matchedMap(header, detail, detail.kernels, 0);
    updateMap(map, header, detail, detail.kernels, after, 0);
    close(map, naiveMap(header, detail, after, 0));
  });
});
