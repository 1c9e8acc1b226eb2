// One step of the run: choose the square, look at it, and decide what is handed on, as dkd/tracking/tracker.py does it
// with Conditions(square="joints"). This runs in the worker.

import { editKernels } from "../laboratory/kernel_edits.js";
import { cover, coversOf } from "./covers.js";
import { decodePeaks } from "./peaks.js";
import { extract } from "./pixels.js";
import { boxAround, CONFIDENT, JOINTS_MARGIN, nextSquare, rounded, squareAround, toFrame } from "./squares.js";

/** @import { Changes, Step } from "./types.d.ts" */
/** @import { Network, Values } from "./network.js" */
/** @import { Picture } from "./pixels.js" */
/** @import { Square } from "./squares.js" */

const ROUNDS = 3; // of the search for the person in a first frame without a box

export class Tracker {
  /** @param {Network} network */
  constructor(network) {
    this.network = network;
    /** @type {Changes} */
    this.changes = { boxes: new Map(), edits: new Map(), covers: [] };
    /** @type {Step[]} */
    this.steps = [];
  }

  /**
   * Track the next frame; the caller adds the step to `steps`.
   * @param {Picture} picture of that frame
   * @returns {Promise<Step>}
   */
  async step(picture) {
    const begun = performance.now();
    const frame = this.steps.length;
    const { network } = this;
    const seen = cover(picture, coversOf(this.changes.covers, frame));
    const before = this.steps.at(-1);
    const box = this.changes.boxes.get(frame);
    const square = await this.square(seen, box ? squareAround(box) : null);
    const input = extract(seen, square, network.facts.input_size);
    const { features, projected } = await network.encode(input);
    const isStart = !before || Boolean(box);
    const maps = isStart ? await network.initialise(input) : await network.match(projected, before.kernels);
    const found = this.joints(maps, square);
    const distilled = await network.distil(features, maps);
    const edits = this.changes.edits.get(frame) ?? [];
    const kernels = edits.reduce((all, edit) => editKernels(all, network.facts.kernel, edit), distilled);
    const apart = drift(before?.kernels, kernels);
    return { frame, square, ...found, maps, kernels, drift: apart, isStart, ms: performance.now() - begun };
  }

  /**
   * V·F of a frame that was tracked.
   * @param {Picture} picture
   * @param {number} frame
   */
  async explain(picture, frame) {
    const seen = cover(picture, coversOf(this.changes.covers, frame));
    const input = extract(seen, this.steps[frame].square, this.network.facts.input_size);
    return (await this.network.encode(input)).projected;
  }

  /**
   * @param {Values} maps
   * @param {Square} square
   */
  joints(maps, square) {
    const { map } = this.network.facts;
    const { cells, peaks, scores } = decodePeaks(maps, [map, map]);
    return { cells, scores, joints: toFrame(square, peaks, map) };
  }

  /**
   * @param {Picture} picture
   * @param {Square | null} drawn
   * @returns {Promise<Square>}
   */
  async square(picture, drawn) {
    const before = this.steps.at(-1);
    if (drawn) return drawn;
    if (before) return nextSquare(before.square, before.joints, before.scores, [picture.width, picture.height]);
    return this.search(picture);
  }

  /**
   * Look for the person in the whole picture, and closer each time.
   * @param {Picture} picture
   */
  async search(picture) {
    const { network } = this;
    /** @type {Square} */
    let square = squareAround([0, 0, picture.width, picture.height], 1);
    for (let round = 0; round < ROUNDS; round++) {
      const maps = await network.initialise(extract(picture, square, network.facts.input_size));
      const { joints, scores } = this.joints(maps, square);
      const box = boxAround(joints, (j) => scores[j] >= CONFIDENT);
      if (!box || Math.max(box[2] - box[0], box[3] - box[1]) < 1) break;
      square = rounded(squareAround(box, JOINTS_MARGIN));
    }
    return square;
  }
}

/**
 * 1 − cos of two frames' kernels.
 * @param {Float32Array | undefined} before
 * @param {Float32Array} after
 */
export function drift(before, after) {
  if (!before) return 0;
  let [both, one, other] = [0, 0, 0];
  for (let i = 0; i < after.length; i++) {
    both += before[i] * after[i];
    one += before[i] ** 2;
    other += after[i] ** 2;
  }
  return 1 - both / Math.max(Math.sqrt(one * other), 1e-12);
}
