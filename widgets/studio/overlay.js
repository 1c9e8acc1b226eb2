// What an editor draws over the frame: the run without corrections, the other people, names, and the person's box.

import { context2d } from "../core/dom.js";
import { toCanvas } from "../workbench/place.js";
import { strokeLine, strokeRings } from "../workbench/strokes.js";

/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Place } from "../workbench/place.js" */
/** @import { Stage } from "../workbench/player.js" */
/** @import { Editing } from "./editing.js" */

const SAME_PX = 0.5; // joints of two runs that are nearer in the frame are drawn once
const HANDLE_PX = 5;

/**
 * @param {Stage} stage
 * @param {FrameRecord} record
 * @param {Editing} editing
 * @param {string} font
 */
export function drawOver({ canvas, scene, fit }, record, editing, font) {
  const context = context2d(canvas);
  const { header } = editing.store;
  const place = scene.geometry(fit());
  const layers = editing.cursor.get("layers");
  context.save();
  if (layers.skeleton && editing.showsUncorrected) drawUncorrected(context, record, editing, place);
  for (const other of editing.othersIn(record.frame)) {
    drawPerson(context, header, other.joints, place, other.colour);
    drawName(context, other.name, other.joints, place, other.colour, font);
  }
  const me = editing.people.find(({ name }) => name === editing.person);
  if (me && editing.others.length) drawName(context, me.name, editing.drawn(record).joints, place, me.colour, font);
  if (editing.isBoxing) drawBox(context, editing.boxOf(record), place);
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {FrameRecord} record
 * @param {Editing} editing
 * @param {Place} place
 */
function drawUncorrected(context, record, { uncorrected, store: { header } }, place) {
  if (!uncorrected) return;
  const count = 2 * header.joints.length;
  const before = uncorrected.subarray(record.frame * count, (record.frame + 1) * count);
  const isApart = (/** @type {number} */ j) =>
    Math.hypot(before[2 * j] - record.joints[2 * j], before[2 * j + 1] - record.joints[2 * j + 1]) > SAME_PX;
  const of = (/** @type {number} */ j) => toCanvas(place, [before[2 * j], before[2 * j + 1]]);
  context.globalAlpha = 0.6;
  for (const [a, b] of header.limbs.filter(([a, b]) => isApart(a) || isApart(b))) {
    strokeLine(context, of(a), of(b), [
      ["rgba(0,0,0,.7)", 3, []],
      ["#ffffff", 1.5, [2, 3]],
    ]);
  }
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Header} header
 * @param {Float32Array} joints
 * @param {Place} place
 * @param {string} colour
 */
function drawPerson(context, header, joints, place, colour) {
  const of = (/** @type {number} */ j) => toCanvas(place, [joints[2 * j], joints[2 * j + 1]]);
  context.lineCap = "round";
  for (const [a, b] of header.limbs) {
    strokeLine(context, of(a), of(b), [
      ["rgba(0,0,0,.65)", 4.5, []],
      [colour, 2.5, []],
    ]);
  }
  header.joints.forEach((_, j) => {
    const at = of(j);
    if (!Number.isFinite(at[0])) return;
    strokeRings(context, at, 2.5, [
      ["rgba(0,0,0,.65)", 4],
      [colour, 2.5],
    ]);
  });
}

/**
 * A person's name above the highest joint.
 * @param {CanvasRenderingContext2D} context
 * @param {string} name
 * @param {Float32Array} joints
 * @param {Place} place
 * @param {string} colour
 * @param {string} font
 */
function drawName(context, name, joints, place, colour, font) {
  let top = -1;
  for (let j = 0; j < joints.length / 2; j++)
    if (Number.isFinite(joints[2 * j + 1]) && (top < 0 || joints[2 * j + 1] < joints[2 * top + 1])) top = j;
  if (top < 0) return;
  const [over, y] = toCanvas(place, [joints[2 * top], joints[2 * top + 1]]);
  Object.assign(context, { font: `600 12px ${font}`, textBaseline: "middle", textAlign: "center" });
  const width = context.measureText(name).width + 22;
  const x = Math.max(width / 2, Math.min(context.canvas.clientWidth - width / 2, over)); // all of it is seen
  const middle = Math.max(12, y - 24);
  context.fillStyle = "rgba(0,0,0,.72)";
  context.beginPath();
  context.roundRect(x - width / 2, middle - 9, width, 18, 9);
  context.fill();
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x - width / 2 + 9, middle, 4, 0, 7);
  context.fill();
  context.fillStyle = "#ffffff";
  context.fillText(name, x + 5, middle + 0.5);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./corrections.d.ts").Box} box
 * @param {Place} place
 */
function drawBox(context, [x0, y0, x1, y1], { scale, stretch = 1, left, top }) {
  const across = scale * stretch;
  const [x, y, width, height] = [left + x0 * across, top + y0 * scale, (x1 - x0) * across, (y1 - y0) * scale];
  for (const [strokeStyle, lineWidth, dash] of /** @type {[string, number, number[]][]} */ ([
    ["rgba(0,0,0,.7)", 4, []],
    ["#ffffff", 2, [6, 4]],
  ])) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.setLineDash(dash);
    context.strokeRect(x, y, width, height);
  }
  context.setLineDash([]);
  context.fillStyle = "#ffffff";
  for (const [cx, cy] of [
    [x, y],
    [x + width, y],
    [x, y + height],
    [x + width, y + height],
  ])
    context.fillRect(cx - HANDLE_PX / 2, cy - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
}
