// What the browser adds to the messages of a trace.

import { mean } from "./text.js";

/** @import { FrameRecord, Header, Message } from "./types.d.ts" */

/**
 * A header with what several views derive from it.
 * @param {Message} message
 * @returns {Header}
 */
export function completeHeader(message) {
  const header = /** @type {Header} */ (/** @type {unknown} */ (message));
  const count = header.joints.length;
  const sureness = header.calibrated ? header.confidence : header.scores;
  return {
    ...header,
    sureness,
    meanSureness: Float32Array.from({ length: header.n_frames }, (_, t) => mean(sureness, t * count, count)),
    starts: header.reinitialised.map(({ frame }) => frame),
    initial: new Set(header.unmatched),
  };
}

/**
 * A record with the bytes that it holds.
 * @param {Message} entry
 * @returns {FrameRecord}
 */
export function completeRecord(entry) {
  const record = /** @type {FrameRecord} */ (/** @type {unknown} */ (entry));
  const bytes = entry.jpeg.byteLength + entry.maps.byteLength + entry.kernels.byteLength;
  return { ...record, bytes };
}
