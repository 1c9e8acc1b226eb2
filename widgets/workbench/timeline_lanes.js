// What the timeline's three lanes show of a joint.

import { readable } from "../core/text.js";

/** @import { Header } from "../core/types.d.ts" */

/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} [title] what it is, for a pointer that rests on its label
 * @property {string} unit
 * @property {Float32Array} curve one value per frame; what is not a number is not drawn
 * @property {Float32Array} [second] drawn paler behind it
 * @property {number} top the value at the lane's upper edge; the lower is 0
 * @property {(frame: number) => string} text the value of a frame
 * @property {(value: number) => string} label
 * @property {boolean} isJoint whether it is in the colour of the joint's side
 */

/** @param {Float32Array} values */
const largest = (values) => values.reduce((a, b) => (b > a ? b : a), 1e-6);

/**
 * @param {number} value
 * @param {number} digits
 */
const number = (value, digits, unit = "") => (Number.isFinite(value) ? value.toFixed(digits) + unit : "–");

/**
 * @param {Header} header
 * @param {number} joint
 * @returns {Lane[]}
 */
export function describeLanes(header, joint) {
  const count = header.joints.length;
  const name = readable(header.joints[joint]);
  const of = (/** @type {Float32Array} */ values) =>
    Float32Array.from({ length: header.n_frames }, (_, t) => values[t * count + joint]);
  const [score, speed] = [of(header.sureness), of(header.speed)];
  // There is none before frame 0.
  const drift = Float32Array.from(header.drift, (value, t) => (t && header.channels ? value : Number.NaN));
  return [
    {
      name: header.calibrated ? "confidence" : "score",
      title: header.calibrated
        ? "Probability that the joint lies within 0.1 of the larger side of the person's box"
        : "Height of the map's peak: this model has no calibration that makes a probability of it",
      unit: `${name}; mean grey`,
      curve: score,
      second: header.meanSureness,
      top: Math.max(1, largest(score)),
      text: (t) => number(score[t], 3),
      label: (v) => v.toFixed(1),
      isJoint: true,
    },
    {
      name: "speed",
      unit: `${name}, px/s`,
      curve: speed,
      top: largest(speed),
      text: (t) => number(speed[t], 0, " px/s"),
      label: (v) => v.toFixed(0),
      isJoint: true,
    },
    {
      name: "kernel drift",
      unit: header.channels ? "1 − cos(Kₜ, Kₜ₋₁)" : "no kernels",
      curve: drift,
      top: largest(header.drift),
      text: (t) => number(drift[t], 4),
      label: (v) => (header.channels ? v.toPrecision(2) : ""),
      isJoint: false,
    },
  ];
}
