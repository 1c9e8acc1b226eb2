// Draws the lanes: what does not move with the cursor, once for a size, joint, choice and theme.

import { stroke } from "../core/drawing.js";
import { drawCurve, drawLane, drawSeconds, drawTop, EDGE_PX, LANE_PX, offscreen } from "../core/lanes.js";
import { scaleTop } from "./curves.js";

/** @import { Header, Palette } from "../core/types.d.ts" */
/** @import { DrawnLane } from "./curves.js" */
/** @import { Moment } from "./messages.d.ts" */
/** @typedef {(frame: number, width: number) => number} ToX */

/**
 * @typedef {object} Style
 * @property {[width: number, height: number]} size in CSS pixels
 * @property {ToX} toX
 * @property {string} ink colour of trace A's curves of joints
 * @property {Palette} colours
 */

export const STRIP_PX = 18; // above the lanes: where the moments of the list are
export const LANE_GAP_PX = 12;
export const AXIS_PX = 18;
const DASHES = [[], [7, 4]]; // of A, of B
const WIDTHS = [1.75, 1.25];

/**
 * A canvas with the moments, the lanes and the seconds.
 * @param {DrawnLane[]} lanes
 * @param {Moment[]} moments
 * @param {Header} header
 * @param {Style} style
 */
export function drawLanes(lanes, moments, header, style) {
  const { size, toX, colours } = style;
  const { picture, context } = offscreen(...size);
  for (const moment of moments) drawMoment(context, moment, style);
  lanes.forEach((lane, i) => {
    drawOne(context, lane, STRIP_PX + i * (LANE_PX + LANE_GAP_PX), style);
  });
  drawSeconds(context, header, toX, ...size, colours);
  return picture;
}

/**
 * A moment in the strip, from its first to its last frame: filled where it is A's, hollow where it is B's.
 * @param {CanvasRenderingContext2D} context
 * @param {Moment} moment
 * @param {Style} style
 */
function drawMoment(context, { first, last, which }, { size: [width], toX, colours }) {
  const x = toX(first, width) - 1.5;
  const wide = toX(last, width) + 1.5 - x;
  Object.assign(context, { fillStyle: colours.ink, strokeStyle: colours.ink, lineWidth: 1, globalAlpha: 0.55 });
  if (which) context.strokeRect(x + 0.5, 3.5, wide - 1, 6);
  else context.fillRect(x, 3, wide, 7);
  context.globalAlpha = 1;
}

/**
 * A lane: its limit as a dotted line, the curves of A and B, the top of its scale.
 * @param {CanvasRenderingContext2D} context
 * @param {DrawnLane} lane
 * @param {number} top in CSS pixels
 * @param {Style} style
 */
function drawOne(context, lane, top, { size: [width], toX, ink, colours }) {
  const toY = (/** @type {number} */ v) => top + LANE_PX * (1 - (v - lane.low) / (lane.high - lane.low));
  drawLane(context, top, width, colours);
  if (lane.limit !== null) {
    Object.assign(context, { strokeStyle: colours.muted, lineWidth: 1 });
    context.setLineDash([1, 3]);
    stroke(context, [EDGE_PX, toY(lane.limit)], [width - EDGE_PX, toY(lane.limit)]);
    context.setLineDash([]);
  }
  lane.curves.forEach((curve, which) => {
    if (!curve) return;
    Object.assign(context, { strokeStyle: curveColour(lane, which, ink, colours), lineWidth: WIDTHS[which] });
    context.setLineDash(DASHES[which]);
    drawCurve(context, curve, toX, toY, width);
    context.setLineDash([]);
  });
  drawTop(context, scaleTop(lane.high), top, colours);
}

/**
 * A's curve has the colour of its joint's side, where it is of a joint; B's another colour than A's.
 * @param {DrawnLane} lane
 * @param {number} which
 * @param {string} ink
 * @param {Palette} colours
 */
function curveColour(lane, which, ink, colours) {
  const own = lane.joints ? ink : colours.ink;
  if (!which) return own;
  return own === colours.ink ? colours.accent : colours.ink;
}
