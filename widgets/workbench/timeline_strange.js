// What the timeline shows of frames in which the track is probably on somebody else: bars, and words.

import { runsOf } from "./timeline_warnings.js";

/** @import { Header } from "../core/types.d.ts" */
/** @import { Place } from "./timeline_still.js" */

const BAR_PX = 3;

export const STRANGE = "looks like somebody else, or most joints jumped";

/**
 * Thin bars over frames whose joints look like somebody else, as wide as the frames.
 * @param {CanvasRenderingContext2D} context
 * @param {Pick<Header, "strange">} header
 * @param {Place} place
 * @param {number} top upper edge of the bars
 */
export function drawStrange(context, { strange }, { width, colours, toX }, top) {
  const half = Math.max(1.5, (toX(1, width) - toX(0, width)) / 2);
  context.fillStyle = colours.ink;
  for (const [first, last] of runsOf(strange)) {
    const [x0, x1] = [toX(first, width) - half, toX(last, width) + half];
    context.fillRect(x0, top, x1 - x0, BAR_PX);
  }
}
