// The part of the timeline that stays while the frame moves: curves, marks, axis.

import { stroke } from "../core/drawing.js";
import { drawCurve, drawLane, drawSeconds, drawTop, offscreen } from "../core/lanes.js";
import { clamp } from "../core/text.js";
import { drawStrange } from "./timeline_strange.js";
import { drawWarnings } from "./timeline_warnings.js";

/** @import { Header, Palette } from "../core/types.d.ts" */
/** @import { ToX } from "../core/lanes.js" */
/** @import { Lane } from "./timeline_lanes.js" */

/** @typedef {{ width: number, height: number, colours: Palette, toX: ToX }} Place */

const GAP_PX = 10; // between two lanes
export const AXIS_PX = 20;
const FLAG_PX = 13; // side of the flag at a frame that was re-initialised

/**
 * @param {Header} header
 * @param {Lane[]} lanes
 * @param {number} joint
 * @param {Place} place
 */
export function drawStill(header, lanes, joint, place) {
  const { width, height, colours, toX } = place;
  const { picture, context } = offscreen(width, height);
  const laneHeight = (height - AXIS_PX) / lanes.length - GAP_PX; // the style sheet gives the canvas its height
  lanes.forEach((lane, i) => {
    const top = i * (laneHeight + GAP_PX) + GAP_PX;
    const toY = (/** @type {number} */ value) => top + laneHeight * (1 - clamp(value / lane.top, 0, 1));
    drawLane(context, top, width, colours, laneHeight);
    if (lane.second) {
      Object.assign(context, { strokeStyle: colours.muted, lineWidth: 1.25 });
      drawCurve(context, lane.second, toX, toY, width);
    }
    Object.assign(context, { strokeStyle: lane.isJoint ? colours[header.sides[joint]] : colours.ink, lineWidth: 1.75 });
    drawCurve(context, lane.curve, toX, toY, width);
    drawTop(context, lane.label(lane.top), top, colours);
  });
  context.fillStyle = colours.ink;
  for (const frame of header.worst[joint]) drawMoment(context, toX(frame, width));
  for (const frame of header.starts) drawStart(context, frame, place);
  drawStrange(context, header, place, GAP_PX + laneHeight + 4); // below the first lane: it doubts the confidence there
  drawSeconds(context, header, toX, width, height, colours);
  drawWarnings(context, header, place, height - AXIS_PX + 1);
  return picture;
}

/**
 * A worst moment: a small triangle above the lanes.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 */
function drawMoment(context, x) {
  context.beginPath();
  context.moveTo(x - 4, 1);
  context.lineTo(x + 4, 1);
  context.lineTo(x, 8);
  context.fill();
}

/**
 * A frame in which a lost track was re-initialised: a dashed line through all lanes, with a flag that says R.
 * @param {CanvasRenderingContext2D} context
 * @param {number} frame
 * @param {Place} place
 */
function drawStart(context, frame, { width, height, colours, toX }) {
  const x = toX(frame, width);
  const left = x > width - 20 ? x - FLAG_PX : x;
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.5 });
  context.setLineDash([4, 3]);
  stroke(context, [x, GAP_PX], [x, height - AXIS_PX + 4]);
  context.setLineDash([]);
  context.fillStyle = colours.ink;
  context.fillRect(left, GAP_PX, FLAG_PX, FLAG_PX);
  Object.assign(context, {
    fillStyle: colours.back,
    font: `bold ${colours.small} ${colours.font}`,
    textBaseline: "middle",
    textAlign: "center",
  });
  context.fillText("R", left + FLAG_PX / 2, GAP_PX + FLAG_PX / 2 + 0.5);
  context.textAlign = "start";
}
