// How the distance lane is drawn.

/** @import { Palette } from "../core/types.d.ts" */
/** @import { Effect } from "./effect.js" */

import { stroke } from "../core/drawing.js";

const TOP_PX = 12; // above the lane there are the marks of the interventions

/**
 * @typedef {object} Lane
 * @property {Effect} effect
 * @property {number[]} worst distance per frame
 * @property {number[]} mine distance per frame of the selected joint
 * @property {number} frame the cursor's
 * @property {number} count frames of the clip
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} size in CSS pixels
 * @param {Lane} lane
 * @param {Palette} colours
 */
export function drawDistances(context, [width, height], { effect, worst, mine, frame, count }, colours) {
  const top = Math.max(0.1, ...worst);
  /** @param {number} t */
  const x = (t) => (t / count) * width;
  /** @param {number} value */
  const y = (value) => TOP_PX + 2 + (height - TOP_PX - 4) * (1 - value / top);
  /** @param {[number, number][]} points */
  const line = (points) => {
    context.beginPath();
    for (const [t, value] of points) context.lineTo(x(t), y(value)); // the first one starts the line
    context.stroke();
  };
  context.clearRect(0, 0, width, height);
  context.fillStyle = colours.ink;
  for (const [start, stop] of effect.spans) drawSpan(context, x(start), Math.max(x(stop), x(start) + 2), height);
  Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
  context.strokeRect(0.5, TOP_PX + 0.5, width - 1, height - TOP_PX - 1);
  if (effect.frames < count) {
    context.globalAlpha = 0.5;
    context.fillStyle = colours.line;
    context.fillRect(x(effect.frames), TOP_PX + 1, width - x(effect.frames), height - TOP_PX - 2);
    context.globalAlpha = 1;
  }
  if (effect.recovery) {
    const { tolerance } = effect.recovery;
    context.setLineDash([3, 4]);
    context.strokeStyle = colours.muted;
    line([
      [0, tolerance],
      [count, tolerance],
    ]);
    context.setLineDash([]);
  }
  Object.assign(context, { lineWidth: 1.5, strokeStyle: colours.ink, lineJoin: "round" });
  line(worst.map((value, t) => [t + 0.5, value]));
  Object.assign(context, { lineWidth: 2, strokeStyle: colours.accent });
  context.setLineDash([5, 3]);
  line(mine.map((value, t) => [t + 0.5, value]));
  context.setLineDash([]);
  Object.assign(context, { fillStyle: colours.muted, font: `${colours.small} ${colours.font}`, textBaseline: "top" });
  context.textAlign = "right";
  context.fillText(`${top.toFixed(2)} of the box`, width - 5, TOP_PX + 3);
  drawCursor(context, x(frame + 0.5), height, colours);
}

/**
 * The frames in which an intervention acts: a band, a bar above it, and a mark at its start.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} right
 * @param {number} height
 */
function drawSpan(context, left, right, height) {
  context.globalAlpha = 0.08;
  context.fillRect(left, TOP_PX, right - left, height - TOP_PX);
  context.globalAlpha = 1;
  context.fillRect(left, TOP_PX - 3, right - left, 3);
  context.beginPath();
  context.moveTo(left - 4, 0);
  context.lineTo(left + 5, 0);
  context.lineTo(left + 0.5, TOP_PX - 4);
  context.fill();
}

/** @type {(context: CanvasRenderingContext2D, x: number, height: number, colours: Palette) => void} */
function drawCursor(context, x, height, colours) {
  for (const [strokeStyle, lineWidth] of /** @type {[string, number][]} */ ([
    [colours.back, 4],
    [colours.accent, 2],
  ])) {
    Object.assign(context, { strokeStyle, lineWidth });
    stroke(context, [x, TOP_PX], [x, height]);
  }
}
