// Skeletons, trails and the square of the network, drawn on a frame.

import { stroke } from "../core/drawing.js";
import { clamp } from "../core/text.js";
import { drawJoint, strokeLine, strokeRings } from "./strokes.js";

/** @import { FrameRecord, Header, Palette } from "../core/types.d.ts" */
/** @import { Point } from "../core/drawing.js" */
/** @import { JointStyle } from "./strokes.js" */

/**
 * Where to draw: a context whose origin is the frame's corner, with `scale` CSS pixels per row of the frame and
 * `scale · stretch` per column.
 * @typedef {object} Figure
 * @property {CanvasRenderingContext2D} context
 * @property {Header} header
 * @property {number} scale
 * @property {number} stretch
 * @property {Palette} colours
 */

const TRAIL = 20; // frames of the past that a trail shows

/**
 * @param {Figure} figure
 * @param {ArrayLike<number>} points x, y of each joint, in pixels of the frame
 * @param {number} j
 * @returns {Point}
 */
export const toScreen = ({ scale, stretch }, points, j) => [
  (points[2 * j] + 0.5) * scale * stretch,
  (points[2 * j + 1] + 0.5) * scale,
];

/**
 * Limbs of the right side are dashed, so that the sides differ without colours, too.
 * @param {Header} header
 * @param {number} a
 * @param {number} b
 */
function limbStyle({ sides }, a, b) {
  const side = sides[a] === sides[b] ? sides[a] : "centre";
  return { side, dash: side === "right" ? [7, 5] : [] };
}

/**
 * The square that the network sees.
 * @param {Figure} figure
 * @param {FrameRecord} record
 */
export function drawBox({ context, scale, stretch }, record) {
  const [x, y, side] = record.crop.map((v) => v * scale);
  for (const [strokeStyle, lineWidth] of [
    ["rgba(0,0,0,.55)", 4],
    ["#ffffff", 1.5],
  ]) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.strokeRect(x * stretch, y, side * stretch, side);
  }
}

/**
 * @param {Figure} figure
 * @param {number} frame
 */
export function drawTrails(figure, frame) {
  const { context, header, colours } = figure;
  const count = header.joints.length;
  context.lineCap = "round";
  header.joints.forEach((_, j) => {
    for (let t = Math.max(1, frame - TRAIL + 1); t <= frame; t++) {
      context.globalAlpha = 0.75 * (1 - (frame - t) / TRAIL);
      Object.assign(context, { strokeStyle: colours[header.sides[j]], lineWidth: 2.5 });
      const before = toScreen(figure, header.tracks, (t - 1) * count + j);
      stroke(context, before, toScreen(figure, header.tracks, t * count + j));
    }
  });
  context.globalAlpha = 1;
}

/**
 * Ground truth is hollow, the prediction filled.
 * @param {Figure} figure
 * @param {number} frame
 */
export function drawTruth(figure, frame) {
  const { context, header, colours } = figure;
  const at = frame * header.joints.length * 2;
  const points = header.truth.subarray(at, at + header.joints.length * 2);
  context.lineCap = "butt";
  for (const [a, b] of header.limbs) {
    const { side, dash } = limbStyle(header, a, b);
    strokeLine(context, toScreen(figure, points, a), toScreen(figure, points, b), [
      ["rgba(255,255,255,.8)", 2.5, []],
      [colours[side], 1.2, dash],
    ]);
  }
  header.joints.forEach((_, j) => {
    const point = toScreen(figure, points, j);
    if (!Number.isFinite(point[0])) return;
    strokeRings(context, point, 5.5, [
      ["#ffffff", 4],
      [colours[header.sides[j]], 2],
    ]);
  });
}

const SMALL_PX = 110; // a person who is less high on the screen is drawn with finer strokes

/**
 * By how much strokes and joints are finer, so that they do not cover a small person: 0.5..1.
 * @param {Figure} figure
 * @param {ArrayLike<number>} joints x and y of each
 */
export function fineness(figure, joints) {
  const places = figure.header.joints.map((_, j) => toScreen(figure, joints, j)).filter((at) => Number.isFinite(at[0]));
  if (!places.length) return 1;
  const extents = [0, 1].map((axis) => {
    const values = places.map((at) => at[axis]);
    return Math.max(...values) - Math.min(...values);
  });
  return clamp(Math.max(...extents) / SMALL_PX, 0.5, 1);
}

/**
 * A joint is the paler the lower its score, if it has one; limbs that end in a hidden joint are thin.
 * @param {Figure} figure
 * @param {Pick<FrameRecord, "joints" | "scores">} record
 * @param {number} selected
 * @param {(joint: number) => JointStyle} style
 */
export function drawSkeleton(figure, record, selected, style = () => "filled") {
  const { context, header, colours } = figure;
  const fine = fineness(figure, record.joints);
  const opacity = (/** @type {number} */ j) =>
    Number.isNaN(record.scores[j]) ? 1 : 0.25 + 0.75 * clamp(record.scores[j], 0, 1);
  for (const [a, b] of header.limbs) {
    const { side, dash } = limbStyle(header, a, b);
    const isHidden = style(a) === "hidden" || style(b) === "hidden";
    context.globalAlpha = Math.min(opacity(a), opacity(b));
    strokeLine(context, toScreen(figure, record.joints, a), toScreen(figure, record.joints, b), [
      ["rgba(255,255,255,.85)", fine * (isHidden ? 2.5 : 5.5), []],
      [colours[side], fine * (isHidden ? 1 : 3), dash],
    ]);
  }
  header.joints.forEach((_, j) => {
    const at = toScreen(figure, record.joints, j);
    if (!Number.isFinite(at[0])) return;
    context.globalAlpha = style(j) === "hidden" ? 1 : opacity(j);
    const radius = fine * (j === selected ? 7 : 4.5);
    drawJoint(context, at, radius, colours[header.sides[j]], style(j));
    context.globalAlpha = 1;
    if (j !== selected) return;
    strokeRings(context, at, radius + 5, [
      ["rgba(0,0,0,.6)", 4],
      ["#ffffff", 2],
    ]);
  });
}
