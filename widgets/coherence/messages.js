// What Python sends to the coherence debugger; see `render_diagnosis` and `render_statistics` in debugger.py.

import { unpack } from "../core/wire.js";

/** @typedef {Float32Array<ArrayBuffer>} Curve */

/**
 * What is measured in each frame, of one trace or of two.
 * @typedef {object} Lane
 * @property {string} key
 * @property {string} label
 * @property {string} unit
 * @property {boolean} low_is_bad
 * @property {string} help
 * @property {number | null} limit
 * @property {boolean} joints whether there is a value per joint
 * @property {(Curve | null)[]} values of each trace, (T, J) or (T,); null where it was not measured
 */

/**
 * Something that stands out.
 * @typedef {object} Moment
 * @property {number} frame where it is worst
 * @property {number} first
 * @property {number} last
 * @property {string | null} joint null where it is about all joints
 * @property {string} reason
 * @property {number} severity
 * @property {string} text
 * @property {number} which 0: in trace A, 1: in trace B
 * @property {number | null} other severity in the other trace, below 1 where it does not happen there
 */

/**
 * @typedef {object} Diagnosis
 * @property {number} generation
 * @property {string[]} models
 * @property {Lane[]} lanes
 * @property {{ lane: string, why: string, which: string }[]} missing
 * @property {boolean} dropped whether there is another trace, which does not fit
 * @property {string[]} reasons
 * @property {Moment[]} moments most severe first
 */

/** @typedef {{ key: string, label: string, low_is_bad: boolean, values: ((number | null)[] | null)[] }} FigureRow */

/**
 * Figures of a range of frames.
 * @typedef {object} Figures
 * @property {string} key of the request
 * @property {number} first
 * @property {number} last
 * @property {string | null} joint null: all joints
 * @property {string[]} columns what each of a row's values is: "mean", …
 * @property {FigureRow[]} rows
 */

/**
 * @param {any} content
 * @param {DataView[]} buffers
 * @returns {Diagnosis}
 */
export function readDiagnosis(content, buffers) {
  let next = 0;
  const take = (/** @type {boolean} */ has) => (has ? unpack(buffers[next++], Float32Array) : null);
  return {
    ...content,
    lanes: content.lanes.map((/** @type {any} */ lane) => ({ ...lane, values: lane.has.map(take) })),
  };
}
