// Memory of a tracked body, and the joints of a frame that can be parts of it, as dkd/tracking/body.py has it, where the
// limits are explained. A body is not changed: each frame has its own. This runs in the worker.

import { Appearance, median } from "./appearance.js";
import { boundedSquare, boxAround, CONFIDENT, JOINTS_MARGIN } from "./squares.js";

/** @import { Joints, Square } from "./squares.js" */
/** @import { Facts } from "./types.d.ts" */

/** @type {[string, string, number][]} */
const LENGTHS = [
  ["shoulder", "elbow", 0.186],
  ["elbow", "wrist", 0.146],
  ["shoulder", "hip", 0.288],
  ["hip", "knee", 0.245],
  ["knee", "ankle", 0.246],
  ["shoulder", "shoulder", 0.259],
  ["hip", "hip", 0.191],
  ["head", "shoulder", 0.177],
  ["head", "neck", 0.11],
  ["neck", "belly", 0.24],
]; // between joints, as shares of the height
const STRETCH = 1.3;
const SLACK = 0.06;
const [TRUNK_SPEED, LIMB_SPEED] = [3, 6];
const [GROWTH, SHRINKAGE] = [1, 0.3];
const TALLEST = 1.3;
const FORGOTTEN = 1;
const WAIT = 3;
const MARGIN = 1.3;
const FAST = ["elbow", "wrist", "knee", "ankle"];

/** @typedef {{ a: number, b: number, length: number }} Limb two joints and their distance, as a share of the height */
/** @typedef {{ joints: Joints, scores: ArrayLike<number>, look: number[], isSure: boolean }} Found in a frame */
/** @typedef {{ limbs: Limb[], speeds: number[] }} Build what is known of every body */

/**
 * @param {Pick<Facts, "joints" | "limbs">} facts
 * @returns {Build}
 */
export function buildOf({ joints, limbs }) {
  const bare = joints.map((name) => name.replace(/^(left|right)_/, ""));
  const known = limbs.flatMap(([a, b]) => {
    const [one, other] = [bare[a], bare[b]];
    const row = LENGTHS.find(([x, y]) => (x === one && y === other) || (x === other && y === one));
    return row ? [{ a, b, length: row[2] }] : [];
  });
  const speeds = joints.map((name) => (FAST.some((end) => name.endsWith(end)) ? LIMB_SPEED : TRUNK_SPEED));
  return { limbs: known, speeds };
}

/** @type {(joints: Joints, a: number, b: number) => number} */
const distance = (joints, a, b) => Math.hypot(joints[2 * a] - joints[2 * b], joints[2 * a + 1] - joints[2 * b + 1]);

/** @param {number} value @param {number} low @param {number} high */
const clip = (value, low, high) => Math.min(Math.max(value, low), high);

/** @param {boolean[]} flags */
const count = (flags) => flags.filter(Boolean).length;

/** @param {ArrayLike<number>} scores */
const confidentOf = (scores) => Array.from(scores, (score) => score >= Math.fround(CONFIDENT));

/**
 * The height of a body if it stood upright, from its limbs that count; null without any.
 * @param {Build} build
 * @param {Joints} joints
 * @param {boolean[]} counted
 */
function stature({ limbs }, joints, counted) {
  const known = limbs.filter(({ a, b }) => counted[a] && counted[b]);
  return known.length ? median(known.map(({ a, b, length }) => distance(joints, a, b) / length)) : null;
}

export class Body {
  /**
   * @param {Build} build
   * @param {{ height: number, joints: Float64Array, unseen: number[], counted: boolean[], appearance: Appearance,
   *   lost: number }} memory height in pixels; joints that are believed; seconds since each counted last; whether it
   *   counts; the look; seconds since most of them counted
   */
  constructor(build, memory) {
    this.build = build;
    this.memory = memory;
  }

  /**
   * A body that begins with what was found in a square that was drawn or searched for.
   * @param {Build} build
   * @param {Found} found
   * @param {Square} square
   * @param {Appearance} [appearance] remembered before
   */
  static start(build, { joints, scores, look, isSure }, square, appearance = new Appearance()) {
    const extent = square[2] / JOINTS_MARGIN;
    const counted = confidentOf(scores);
    const seen = stature(build, joints, counted);
    const isNew = !appearance.colours && isSure;
    return new Body(build, {
      height: seen === null ? extent : clip(seen, 0.8 * extent, 2 * extent),
      joints: Float64Array.from(joints),
      unseen: counted.map((one) => (one ? 0 : FORGOTTEN)),
      counted,
      appearance: isNew ? appearance.remembering(look, 0) : appearance,
      lost: 0,
    });
  }

  /**
   * The body after the next frame, whose joints are taken over where they can be parts of it.
   * @param {Found} found
   * @param {number} seconds since the frame before
   */
  follow({ joints, scores, look, isSure }, seconds) {
    const { build, memory } = this;
    const age = memory.unseen.map((one) => one + seconds);
    const moved = Array.from(memory.joints, (value, i) => joints[i] - value);
    const share = age.map(
      (one, j) => Math.hypot(moved[2 * j], moved[2 * j + 1]) / (memory.height * (SLACK + build.speeds[j] * one)),
    );
    const confident = confidentOf(scores);
    const possible = confident.map((one, j) => one && share[j] <= 1);
    let counted = this.ofOneBody(joints, possible, share);
    const strange = count(counted) * 2 < count(confident) || memory.appearance.isOther(look);
    if (strange) counted = counted.map(() => false);
    const isSeen = isSure && !strange && count(counted) * 2 >= counted.length;
    const lost = isSeen ? 0 : memory.lost + seconds;
    if (strange && lost > WAIT) {
      const appearance = new Appearance().remembering(look, 0);
      const unseen = confident.map((one) => (one ? 0 : FORGOTTEN));
      const taken = { joints: Float64Array.from(joints), unseen, counted: confident, appearance, lost: 0 };
      return new Body(build, { ...memory, ...taken });
    }
    const common = [0, 1].map((k) => (isSeen ? median(moved.filter((_, i) => i % 2 === k && counted[i >> 1])) : 0));
    const believed = memory.joints.map((value, i) => (counted[i >> 1] ? joints[i] : value + common[i % 2]));
    const unseen = age.map((one, j) => (counted[j] ? 0 : one));
    const next = { ...memory, joints: believed, unseen, counted, lost };
    if (isSeen) {
      next.appearance = memory.appearance.remembering(look, seconds);
      const seen = stature(build, joints, counted);
      const [low, high] = [-SHRINKAGE, GROWTH].map((rate) => memory.height * Math.exp(rate * seconds));
      if (seen !== null) next.height = clip(seen, low, high);
    }
    return new Body(build, next);
  }

  /**
   * Take away joints until no limb is too long: of each limb's ends, the one that moved more suddenly.
   * @param {Joints} joints
   * @param {boolean[]} possible
   * @param {number[]} share
   */
  ofOneBody(joints, possible, share) {
    const counted = [...possible];
    const { limbs } = this.build;
    const excess = limbs.map(({ a, b, length }) => distance(joints, a, b) / (STRETCH * length * this.memory.height));
    for (;;) {
      const wrong = limbs.map(({ a, b }, i) => (counted[a] && counted[b] ? excess[i] : 0));
      const worst = wrong.indexOf(Math.max(0, ...wrong));
      if (worst < 0 || wrong[worst] <= 1) return counted;
      const { a, b } = limbs[worst];
      counted[share[b] > share[a] ? b : a] = false;
    }
  }

  /**
   * The square of the next frame: around the joints that are believed, with a bounded change; the same where fewer than
   * half of the joints were seen lately.
   * @param {Square} old
   * @param {number} seconds
   * @param {[number, number]} size of the frame
   * @returns {Square}
   */
  square(old, seconds, size) {
    const { height, joints, unseen } = this.memory;
    const lately = unseen.map((one) => one < FORGOTTEN);
    const box = count(lately) * 2 >= lately.length ? boxAround(joints, (j) => lately[j]) : null;
    if (!box) return old;
    const reach = height * (SLACK + TRUNK_SPEED * seconds);
    return boundedSquare(old, box, { margin: MARGIN, reach, largest: MARGIN * TALLEST * height }, size);
  }
}
