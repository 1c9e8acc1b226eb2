// Explaining a cell, against explicit loops.

import { expect, test } from "vitest";
import { effectiveKernel, explainCell, patchAt } from "../../widgets/core/arithmetic.js";
import { kernelEnergy } from "../../widgets/workbench/kernels.js";
import { matchingStep } from "./matching_step.js";

const { header, detail } = matchingStep({ channels: 5, map: [6, 4], kernel: 3, joints: 3 });

/** H[j](x, y) = bias[j] + Σ_c U[j,c] Σ_dy Σ_dx K[c](dx, dy) P[c](x + dx, y + dy), written out. */
function valueAt(/** @type {number} */ joint, /** @type {number} */ x, /** @type {number} */ y) {
  const [width, height] = header.map;
  let value = header.bias[joint];
  for (let c = 0; c < header.channels; c++)
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        const [column, row] = [x + dx, y + dy];
        if (column < 0 || column >= width || row < 0 || row >= height) continue;
        const kernel = detail.kernels[c * 9 + (dy + 1) * 3 + dx + 1];
        value +=
          header.readout[joint * header.channels + c] * kernel * detail.projected[(c * height + row) * width + column];
      }
  return value;
}

test("value = bias + Σ contributions is the map's value in every cell, at the borders, too", () => {
  for (let joint = 0; joint < 3; joint++)
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 6; x++) {
        const { value, bias, parts } = explainCell(header, detail, joint, x, y);
        expect(value).toBeCloseTo(valueAt(joint, x, y), 5);
        expect(parts.reduce((sum, part) => sum + part.contribution, bias)).toBeCloseTo(value, 6);
      }
});

test("every channel is listed once, the largest magnitude first", () => {
  const { parts } = explainCell(header, detail, 1, 2, 1);
  expect(parts.map((part) => part.channel).sort()).toEqual([0, 1, 2, 3, 4]);
  const sizes = parts.map((part) => Math.abs(part.contribution));
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
});

test("a contribution is the sum of patch × kernel, and outside the map the patch is 0", () => {
  const { parts } = explainCell(header, detail, 2, 0, 0);
  for (const { channel, patch, kernel, contribution } of parts) {
    let sum = 0;
    for (let i = 0; i < 9; i++) sum += patch[i] * kernel[i];
    expect(contribution).toBeCloseTo(sum, 6);
    expect([...patch.slice(0, 4), patch[6]]).toEqual([0, 0, 0, 0, 0]);
    expect(patch).toEqual(patchAt(header, detail, channel, 0, 0));
    expect(kernel).toEqual(effectiveKernel(header, detail, 2, channel));
  }
});

test("a kernel's energy is the root of its squares, over channels", () => {
  const record = { kernels: Int8Array.from({ length: 45 }, (_, i) => ((i * 37) % 255) - 127), kernel_scale: 0.01 };
  const energy = kernelEnergy(header, record, 1);
  for (let i = 0; i < 9; i++) {
    let sum = 0;
    for (let c = 0; c < 5; c++) sum += (header.readout[5 + c] * record.kernels[c * 9 + i] * 0.01) ** 2;
    expect(energy[i]).toBeCloseTo(Math.sqrt(sum), 5);
  }
});
