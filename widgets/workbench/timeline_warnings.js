// What the timeline shows of the faults of the video: marks at the frames, and words.

import { stroke } from "../core/drawing.js";

/** @import { Header } from "../core/types.d.ts" */
/** @import { Place } from "./timeline_still.js" */

/** @typedef {Pick<Header, "warnings" | "n_frames">} Warned */

const BAR_PX = 5; // height of the bar of faulty frames, between the lanes and the axis
const FLAG_PX = 13;

/**
 * The warnings that are about a frame. A gap lies after its frame, so that the frame after it belongs to it, too.
 * @param {Warned} header
 * @param {number} frame
 */
export const warningsAt = ({ warnings }, frame) =>
  warnings.filter(({ kind, frames }) => frames.includes(frame) || (kind === "gap" && frames.includes(frame - 1)));

/**
 * Runs of adjacent frames, as [first, last].
 * @param {number[]} frames ascending
 */
export function runsOf(frames) {
  /** @type {[number, number][]} */
  const runs = [];
  for (const frame of frames) {
    const last = runs[runs.length - 1];
    if (last && frame === last[1] + 1) last[1] = frame;
    else runs.push([frame, frame]);
  }
  return runs;
}

/**
 * Bars under the faulty frames: full where frames cannot be read, hatched where they are suspect; a break in a line
 * where frames are missing. A flag with an exclamation mark is at the first frame of each warning.
 * @param {CanvasRenderingContext2D} context
 * @param {Warned} header
 * @param {Place} place
 * @param {number} top where the bars begin
 */
export function drawWarnings(context, { warnings, n_frames }, { width, colours, toX }, top) {
  const behind = (/** @type {number} */ frame) => Math.min(frame + 0.5, n_frames - 1);
  const half = Math.max(1.5, (toX(1, width) - toX(0, width)) / 2);
  for (const { kind, frames } of warnings) {
    Object.assign(context, { fillStyle: colours.ink, strokeStyle: colours.ink, lineWidth: 1.5 });
    for (const [first, last] of runsOf(frames)) {
      const [x0, x1] = [toX(first, width) - half, toX(last, width) + half];
      if (kind === "gap") {
        const x = toX(behind(first), width);
        for (const side of [x - 2, x + 2]) stroke(context, [side, 9], [side, top + BAR_PX]);
      } else if (kind === "suspect") {
        for (let x = x0; x < x1; x += 4) stroke(context, [x, top + BAR_PX], [Math.min(x + 3, x1), top]);
      } else {
        context.fillRect(x0, top, x1 - x0, BAR_PX);
      }
    }
    if (!frames.length) continue;
    drawFlag(context, toX(kind === "gap" ? behind(frames[0]) : frames[0], width), width, top, colours);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} width
 * @param {number} top
 * @param {Place["colours"]} colours
 */
function drawFlag(context, x, width, top, colours) {
  const left = Math.min(x, width - FLAG_PX);
  context.fillRect(left, top, FLAG_PX, FLAG_PX);
  Object.assign(context, {
    fillStyle: colours.back,
    font: `bold ${colours.small} ${colours.font}`,
    textBaseline: "middle",
    textAlign: "center",
  });
  context.fillText("!", left + FLAG_PX / 2, top + FLAG_PX / 2 + 0.5);
  context.textAlign = "start";
}
