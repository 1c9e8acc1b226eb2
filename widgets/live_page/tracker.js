// One step of the run: choose the square, look at it, and decide what is handed on, as dkd/tracking/tracker.py does it
// with its default conditions. This runs in the worker.

import { lookAt, placesOf } from "./appearance.js";
import { Body, buildOf } from "./body.js";
import { cover, coversOf } from "./covers.js";
import { changedKernels, handedOn, matchedMaps, movedSquare, restarts } from "./operations.js";
import { confidenceOf, decodePeaks } from "./peaks.js";
import { extract } from "./pixels.js";
import { boxAround, CONFIDENT, JOINTS_MARGIN, rounded, squareAround, toFrame, toGrid } from "./squares.js";

/** @import { Changes, Step } from "./types.d.ts" */
/** @import { Network, Values } from "./network.js" */
/** @import { Picture } from "./pixels.js" */
/** @import { Square } from "./squares.js" */

const ROUNDS = 3; // of the search for the person in a first frame without a box

/** @returns {Changes} */
export const noChanges = () => ({ boxes: new Map(), operations: [], covers: [] });

export class Tracker {
  /** @param {Network} network */
  constructor(network) {
    const { facts } = network;
    this.network = network;
    this.changes = noChanges();
    /** @type {Step[]} */
    this.steps = [];
    /** @type {WeakMap<Step, Body>} */
    this.bodies = new WeakMap(); // what is remembered of the person after each step
    this.build = buildOf(facts);
    this.places = placesOf(facts.joints);
  }

  /**
   * Track the next frame; the caller adds the step to `steps`.
   * @param {Picture} picture of that frame
   * @param {number} time of that frame in seconds
   * @returns {Promise<Step>}
   */
  async step(picture, time) {
    const begun = performance.now();
    const frame = this.steps.length;
    const { network, changes } = this;
    const { facts } = network;
    const { operations } = changes;
    const seen = cover(picture, coversOf(changes.covers, frame));
    const before = this.steps.at(-1);
    const box = changes.boxes.get(frame);
    const chosen = await this.square(seen, box ? squareAround(box) : null, time);
    const square = movedSquare(operations, frame, chosen);
    const input = extract(seen, square, facts.input_size);
    const { features, projected } = await network.encode(input);
    const isStart = !before || Boolean(box) || restarts(operations, frame);
    const maps = isStart
      ? await network.initialise(input)
      : matchedMaps(operations, await network.match(projected, before.kernels), facts.joints.length);
    const found = this.joints(maps, square);
    const distilled = await network.distil(features, handedOn(operations, frame, maps, facts));
    const kernels = changedKernels(operations, frame, distilled, facts.kernel);
    const apart = drift(before?.kernels, kernels);
    const ms = performance.now() - begun;
    /** @type {Step} */
    const step = { frame, time, square, ...found, maps, kernels, drift: apart, isStart, ms };
    this.bodies.set(step, this.body(step, input, Boolean(box)));
    return step;
  }

  /**
   * What is remembered of the person after a step.
   * @param {Step} step
   * @param {Values} input
   * @param {boolean} isDrawn whether the user has drawn the box, perhaps of somebody else
   */
  body({ frame, time, square, joints, scores, isStart }, input, isDrawn) {
    const { facts } = this.network;
    const before = this.steps[frame - 1];
    const body = before && this.bodies.get(before);
    const raw = Float32Array.from(joints); // as Python reports them
    const look = lookAt(input, toGrid(square, raw, facts.input_size), this.places);
    const mean = scores.reduce((sum, score) => sum + confidenceOf(score, facts.calibration), 0) / scores.length;
    const found = { joints: raw, scores, look, isSure: mean >= facts.sure };
    if (!body || isDrawn) return Body.start(this.build, found, square);
    if (isStart) return Body.start(this.build, found, square, body.memory.appearance);
    return body.follow(found, time - before.time);
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
   * @param {number} time
   * @returns {Promise<Square>}
   */
  async square(picture, drawn, time) {
    const before = this.steps.at(-1);
    if (drawn) return drawn;
    const body = before && this.bodies.get(before);
    return body
      ? body.square(before.square, time - before.time, [picture.width, picture.height])
      : this.search(picture);
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
