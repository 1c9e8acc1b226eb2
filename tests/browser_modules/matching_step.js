// A made-up matching step: header and exact numbers of a frame, as the feed has them. For tests.

/** @import { Detail, Header } from "../../widgets/core/types.d.ts" */

/**
 * Numbers between −0.5 and 0.5 that look random and are always the same.
 *
 * @param {number} length
 * @param {number} seed
 */
const numbers = (length, seed) =>
  Float32Array.from({ length }, (_, i) => {
    const value = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return value - Math.floor(value) - 0.5;
  });

/**
 * @param {{ channels?: number, map?: [number, number], kernel?: number, joints?: number, frame?: number }} sizes
 * @returns {{ header: Header, detail: Detail }}
 */
export function matchingStep({ channels = 3, map = [4, 4], kernel = 3, joints = 2, frame = 7 } = {}) {
  /** @type {Partial<Header>} */
  const header = {
    generation: 0,
    n_frames: 12,
    origin: 0,
    channels,
    kernel,
    map,
    map_range: [-0.25, 1.25],
    joints: ["head", "left_wrist", "right_wrist", "left_knee"].slice(0, joints),
    readout: numbers(joints * channels, 1),
    bias: numbers(joints, 2),
    initial: new Set([0]),
  };
  const detail = {
    frame,
    previous: frame - 1,
    projected: numbers(channels * map[0] * map[1], 3),
    kernels: numbers(channels * kernel * kernel, 4),
  };
  return { header: /** @type {Header} */ (header), detail };
}
