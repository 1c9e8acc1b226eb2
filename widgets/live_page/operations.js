// What the laboratory's interventions do to a run in the page, as dkd/tracking/interventions has them. In the worker.

import { editKernels } from "../laboratory/kernel_edits.js";

/** @import { Values } from "./network.js" */
/** @import { Square } from "./squares.js" */
/** @import { Facts, Operation } from "./types.d.ts" */

/** @type {(operation: { frames: [number, number] }, frame: number) => boolean} */
const acts = ({ frames: [first, stop] }, frame) => frame >= first && frame < stop;

/**
 * Whether the pose initializer is to find the maps of a frame.
 * @param {Operation[]} operations
 * @param {number} frame
 */
export const restarts = (operations, frame) =>
  operations.some((one) => one.kind === "restart" && frame > 0 && acts(one, frame));

/**
 * The square of a frame, moved and scaled.
 * @param {Operation[]} operations
 * @param {number} frame
 * @param {Square} square
 */
export function movedSquare(operations, frame, square) {
  let moved = square;
  for (const one of operations) {
    if (one.kind !== "square" || !acts(one, frame)) continue;
    const [left, top, side] = moved;
    const grown = (side * one.scale - side) / 2;
    moved = [left + one.dx * side - grown, top + one.dy * side - grown, side * one.scale];
  }
  return moved;
}

/**
 * Maps whose order is another, joint by joint.
 * @param {Values} maps (J, H, W)
 * @param {number[]} order
 */
function reordered(maps, order) {
  const area = maps.length / order.length;
  const out = new Float32Array(maps.length);
  order.forEach((from, j) => {
    out.set(maps.subarray(from * area, (from + 1) * area), j * area);
  });
  return out;
}

/**
 * Matched maps, with the read-outs of some joints exchanged.
 * @param {Operation[]} operations
 * @param {Values} maps (J, H, W)
 * @param {number} count of joints
 */
export function matchedMaps(operations, maps, count) {
  let found = maps;
  for (const one of operations) {
    if (one.kind !== "readouts") continue;
    const order = Array.from({ length: count }, (_, j) => j);
    [order[one.joints[0]], order[one.joints[1]]] = [one.joints[1], one.joints[0]];
    found = reordered(found, order);
  }
  return found;
}

/**
 * Maps moved by whole cells, filled with zeros.
 * @param {Values} maps
 * @param {number} size cells along a side
 * @param {number} dx
 * @param {number} dy
 */
function shifted(maps, size, dx, dy) {
  const out = new Float32Array(maps.length);
  for (let at = 0; at < maps.length; at++) {
    const [x, y] = [(at % size) - dx, (Math.floor(at / size) % size) - dy];
    if (x >= 0 && y >= 0 && x < size && y < size) out[at] = maps[at - dx - dy * size];
  }
  return out;
}

/**
 * The maps of a frame as they are handed on to the distillator.
 * @param {Operation[]} operations
 * @param {number} frame
 * @param {Values} maps
 * @param {Pick<Facts, "joints" | "map">} facts
 */
export function handedOn(operations, frame, maps, { joints, map }) {
  let handed = maps;
  for (const one of operations) {
    if (one.kind !== "state" || !acts(one, frame)) continue;
    const order = mirrored(joints);
    const changed =
      one.change === "erase"
        ? new Float32Array(handed.length)
        : one.change === "swap_sides"
          ? reordered(handed, order)
          : shifted(handed, map, one.dx, one.dy);
    if (one.joint === null) {
      handed = changed;
      continue;
    }
    const area = map * map;
    const out = handed.slice();
    const mine = one.change === "swap_sides" ? [one.joint, order[one.joint]] : [one.joint];
    for (const j of mine) out.set(changed.subarray(j * area, (j + 1) * area), j * area);
    handed = out;
  }
  return handed;
}

/**
 * For each joint the one on the other side of the body; itself on the midline.
 * @param {string[]} names
 */
export const mirrored = (names) =>
  names.map((name, j) => {
    const twin = name.startsWith("left_") ? name.replace("left_", "right_") : name.replace("right_", "left_");
    return twin !== name && names.includes(twin) ? names.indexOf(twin) : j;
  });

/**
 * The kernels distilled from a frame, edited or replaced, in the order in which it was asked for.
 * @param {Operation[]} operations
 * @param {number} frame
 * @param {Values} kernels (C, S, S)
 * @param {number} side
 */
export function changedKernels(operations, frame, kernels, side) {
  let changed = kernels;
  for (const one of operations) {
    if (one.kind === "edit" && acts(one, frame)) changed = editKernels(changed, side, one.edit);
    if (one.kind === "kernels" && acts(one, frame)) changed = one.values;
  }
  return changed;
}
