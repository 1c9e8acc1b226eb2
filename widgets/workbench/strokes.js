// Lines, rings and joints that are readable on any picture: each in a pale or dark halo.

import { stroke } from "../core/drawing.js";

/** @import { Point } from "../core/drawing.js" */

/** @typedef {"filled" | "hollow" | "hidden"} JointStyle */
/** @typedef {[string, number, number[]][]} Passes colour, width and dash of lines on each other */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} from
 * @param {Point} to
 * @param {Passes} passes
 */
export function strokeLine(context, from, to, passes) {
  if (![...from, ...to].every(Number.isFinite)) return;
  for (const [colour, width, dash] of passes) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    context.setLineDash(dash);
    stroke(context, from, to);
  }
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} centre
 * @param {number} radius
 * @param {[string, number][]} passes colour and width of rings on each other
 */
export function strokeRings(context, [x, y], radius, passes) {
  for (const [colour, width] of passes) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 * @param {number} radius
 * @param {string} colour
 * @param {JointStyle} style
 */
export function drawJoint(context, at, radius, colour, style) {
  if (style === "filled") {
    drawDot(context, at, radius + 1.5, "#ffffff");
    drawDot(context, at, radius, colour);
  } else if (style === "hollow") {
    strokeRings(context, at, radius, [
      ["#ffffff", 4.5],
      [colour, 2.5],
    ]);
  } else {
    const [x, y] = at;
    for (const across of [-radius, radius]) {
      strokeLine(
        context,
        [x - radius, y - across],
        [x + radius, y + across],
        [
          ["#ffffff", 5, []],
          [colour, 2.5, []],
        ],
      );
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} centre
 * @param {number} radius
 * @param {string} colour
 */
function drawDot(context, [x, y], radius, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}
