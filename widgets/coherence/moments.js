// The moments that stand out, without the page: which are listed, and what is said of each.

import { clamp } from "../core/text.js";
import traces from "./traces.json" with { type: "json" };

/** @import { Moment } from "./messages.d.ts" */
/** @typedef {{ reason: string, joint: string | null }} Filter reason "" and joint null let everything through */

export const MOST_ROWS = 60;
const AT_ONCE = 3; // moments that the tooltip names

/**
 * Whether a moment is about a joint; a flip is about both sides, and a drift about all joints.
 * @param {Moment} moment
 * @param {string} joint
 */
export function isAbout(moment, joint) {
  if (moment.joint === null || moment.joint === joint) return true;
  return moment.reason === "flip" && moment.joint === joint.replace("right_", "left_");
}

/**
 * The moments that a filter lets through, in their order.
 * @param {Moment[]} moments
 * @param {Filter} filter
 */
export const filtered = (moments, { reason, joint }) =>
  moments.filter((m) => (!reason || m.reason === reason) && (joint === null || isAbout(m, joint)));

/** @param {number} found */
export const countNote = (found) =>
  found > MOST_ROWS ? `the first ${MOST_ROWS} of ${found}` : `${found || "none"} found`;

/** @param {number} value */
export const tenths = (value) => value.toFixed(value < 10 ? 1 : 0);

/**
 * In which of two traces it happens: "A", "B" or "both".
 * @param {Moment} moment
 */
export const inWhich = ({ which, other }) => (other !== null && other >= 1 ? "both" : traces.names[which]);

/**
 * How severe it is in either trace: "A 6.0, B nothing".
 * @param {Moment} moment
 */
export function severities({ which, severity, other }) {
  const there = other === null ? "not measured" : other < 1 ? "nothing" : tenths(other);
  return `${traces.names[which]} ${tenths(severity)}, ${traces.names[1 - which]} ${there}`;
}

/**
 * Its frames: "12" or "30–31".
 * @param {Moment} moment
 */
export const spanText = ({ first, last, frame }) => (first === last ? `${frame}` : `${first}–${last}`);

/**
 * All that is known of a moment, for screen readers and as the tooltip of its button.
 * @param {Moment} moment
 * @param {boolean} isPair whether there are two traces
 */
export function describeMoment(moment, isPair) {
  const { first, last, frame, reason, severity, text } = moment;
  const frames = first === last ? `frame ${frame}` : `frames ${spanText(moment)}, worst in ${frame}`;
  const pair = isPair ? `; in ${inWhich(moment)}: ${severities(moment)}` : "";
  return `${reason}, ${frames}, severity ${tenths(severity)}${pair}: ${text}`;
}

/**
 * The largest severity; at least 1.
 * @param {Moment[]} moments
 */
export const largestSeverity = (moments) => moments.reduce((top, m) => Math.max(top, m.severity), 1);

/**
 * The length of a severity's bar, in percent of the largest: logarithmic, since one may be 100 times another.
 * @param {number} severity
 * @param {number} top
 */
export const barLength = (severity, top) => (100 * Math.log1p(severity)) / Math.log1p(top);

/**
 * @param {Moment} moment
 * @param {number} frame
 */
export const isAt = ({ first, last }, frame) => first <= frame && frame <= last;

/**
 * The moments at a frame that the tooltip names, and how many more there are.
 * @param {Moment[]} moments
 * @param {number} frame
 */
export function momentsAt(moments, frame) {
  const here = moments.filter((m) => isAt(m, frame));
  return { named: here.slice(0, AT_ONCE), more: Math.max(0, here.length - AT_ONCE) };
}

/**
 * The row to go to from `here` (−1: none yet) by `by` rows, within the list.
 * @param {number} here
 * @param {number} by
 * @param {number} count
 */
export const nextRow = (here, by, count) => clamp(here + by, 0, count - 1);

/**
 * The row that a key moves the focus to in the list, possibly outside of it; null for other keys.
 * @param {string} key
 * @param {number} here
 * @param {number} count
 */
export function rowOfKey(key, here, count) {
  if (key === "ArrowUp") return here - 1;
  if (key === "ArrowDown") return here + 1;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}
