// The lanes, without the page: the curve of a joint or of all joints, the scale, and the value in words.

import { mean } from "../core/text.js";
import traces from "./traces.json" with { type: "json" };

/** @import { Curve, Diagnosis, Lane } from "./messages.d.ts" */
/** @typedef {"joint" | "worst" | "mean"} Scope */
/** @typedef {Lane & { curves: (Curve | null)[], low: number, high: number }} DrawnLane */
/** @typedef {[first: number, last: number]} Range */

/** @type {Record<Scope, string>} */
export const SCOPES = { joint: "selected joint", worst: "all joints, the worst", mean: "all joints, the mean" };
const HIDDEN_AT_FIRST = ["score", "acceleration", "swapped", "reconstruction", "border"];
const UP_TO_ONE = ["confidence", "score"]; // lanes whose scale reaches 1 at least

/**
 * Keys of the lanes that are shown: as before, or at first all but those that say much the same. Where the model has no
 * calibration, the score stands in for the confidence.
 * @param {Lane[]} lanes
 * @param {Set<string> | null} before
 */
export function shownLanes(lanes, before) {
  const keys = lanes.map((lane) => lane.key);
  const shown = before ?? new Set(keys.filter((key) => !HIDDEN_AT_FIRST.includes(key)));
  return keys.includes("confidence") ? shown : new Set([...shown, "score"]);
}

/**
 * A lane of one trace over the clip, one value per frame: of one joint, or of all joints.
 * @param {Lane} lane
 * @param {number} which trace
 * @param {Scope} scope
 * @param {number} joint index of the selected joint
 * @param {number} joints how many there are
 * @returns {Curve | null}
 */
export function curveOf(lane, which, scope, joint, joints) {
  const all = lane.values[which];
  if (!all || !lane.joints) return all;
  const frames = all.length / joints;
  if (scope === "joint") return Float32Array.from({ length: frames }, (_, t) => all[t * joints + joint]);
  return Float32Array.from({ length: frames }, (_, t) => {
    const known = all.subarray(t * joints, (t + 1) * joints).filter(Number.isFinite);
    if (!known.length) return NaN;
    if (scope === "mean") return mean(known, 0, known.length);
    return known.reduce((a, b) => (a > b === lane.low_is_bad ? b : a));
  });
}

/**
 * A lane with the curves to draw and the ends of their common scale.
 * @param {Lane} lane
 * @param {(Curve | null)[]} curves of each trace
 * @returns {DrawnLane}
 */
export function scaled(lane, curves) {
  let [low, high] = [0, lane.limit ?? 0];
  for (const curve of curves)
    for (const value of curve ?? []) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  if (UP_TO_ONE.includes(lane.key)) high = Math.max(1, high);
  return { ...lane, curves, low, high: high > low ? high : low + 1 };
}

/**
 * A number with about three digits that count; "–" where there is none.
 * @param {number} value
 */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size && size < 1e-3) return value.toPrecision(2);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
}

/**
 * The upper end of a lane's scale, without trailing zeros.
 * @param {number} value
 */
export const scaleTop = (value) =>
  figure(value)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");

/**
 * What a lane says in a frame, of each trace: ["0.912"], or ["A 0.912", "B 0.874"].
 * @param {DrawnLane} lane
 * @param {number} frame
 */
export function told({ curves }, frame) {
  const name = (/** @type {number} */ which) => (curves.length > 1 ? `${traces.names[which]} ` : "");
  return curves.map((curve, which) => name(which) + figure(curve ? curve[frame] : NaN));
}

/**
 * A lane and its values in one line: "speed A 0.31, B 0.02".
 * @param {DrawnLane} lane
 * @param {number} frame
 */
export const lineOf = (lane, frame) => `${lane.label} ${told(lane, frame).join(", ")}`;

/**
 * The range between two frames; null where they are the same.
 * @param {number} a
 * @param {number} b
 * @returns {Range | null}
 */
export const rangeOf = (a, b) => (a === b ? null : [Math.min(a, b), Math.max(a, b)]);

/**
 * The end of the range that stays where it is while the keys move the other end, which is at the cursor.
 * @param {Range | null} range
 * @param {number} frame of the cursor
 */
export function anchorOf(range, frame) {
  if (range?.[0] === frame) return range[1];
  return range?.[1] === frame ? range[0] : frame;
}
