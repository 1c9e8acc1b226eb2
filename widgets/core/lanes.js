// Curves over the frames of a clip, stacked in lanes: what the timeline and the coherence debugger draw alike.

import { context2d } from "./dom.js";
import { stroke } from "./drawing.js";
import { clamp } from "./text.js";

/** @import { Header, Palette } from "./types.d.ts" */

/** @typedef {CanvasRenderingContext2D} Canvas2D */
/** @typedef {(frame: number, width: number) => number} ToX */

export const LANE_PX = 44;
export const EDGE_PX = 7; // half of the slider's thumb: lanes and slider share their x axis
const TICKS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600]; // what may lie between two marks of the axis
const TICK_PX = 70; // and at least so many pixels

/**
 * Where the frames of a clip lie across a canvas, in CSS pixels.
 * @param {{ header: Pick<Header, "n_frames"> }} store
 * @param {HTMLCanvasElement} canvas
 */
export function frameAxis(store, canvas) {
  const span = () => Math.max(1, store.header.n_frames - 1);
  /** @type {ToX} */
  const toX = (frame, width) => EDGE_PX + (frame / span()) * (width - 2 * EDGE_PX);
  const toFrame = (/** @type {number} */ x, /** @type {number} */ width) =>
    clamp(Math.round(((x - EDGE_PX) / (width - 2 * EDGE_PX)) * span()), 0, store.header.n_frames - 1);
  const frameAt = (/** @type {MouseEvent} */ event) =>
    toFrame(event.clientX - canvas.getBoundingClientRect().left, canvas.clientWidth);
  return { toX, toFrame, frameAt };
}

/**
 * A canvas that is not on the page: drawn once, and copied in every frame.
 * @param {number} width in CSS pixels
 * @param {number} height
 */
export function offscreen(width, height) {
  const picture = document.createElement("canvas");
  const ratio = globalThis.devicePixelRatio || 1;
  picture.width = Math.round(width * ratio);
  picture.height = Math.round(height * ratio);
  const context = context2d(picture);
  context.scale(ratio, ratio);
  return { picture, context };
}

/**
 * The lines above and below a lane.
 * @param {Canvas2D} context
 * @param {number} y its top
 * @param {number} width
 * @param {Pick<Palette, "line">} colours
 * @param {number} height
 */
export function drawLane(context, y, width, colours, height = LANE_PX) {
  Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
  for (const edge of [y + 0.5, y + height + 0.5]) stroke(context, [EDGE_PX, edge], [width - EDGE_PX, edge]);
}

/**
 * The points of a curve of one value per frame, as runs without a gap. What is not a number is a gap. Where several
 * frames share a pixel column, the column has their minimum and maximum.
 * @param {Float32Array} curve
 * @param {number} width in pixels
 * @returns {[number, number][][]} runs of [frame, value]
 */
export function curveRuns(curve, width) {
  const stride = Math.max(1, Math.floor(curve.length / (2 * width)));
  /** @type {[number, number][][]} */
  const runs = [];
  let isOpen = false;
  for (let t = 0; t < curve.length; t += stride) {
    const known = Array.from(curve.subarray(t, t + stride)).filter(Number.isFinite);
    if (!known.length) {
      isOpen = false;
      continue;
    }
    if (!isOpen) runs.push([]);
    isOpen = true;
    const values = stride > 1 ? [Math.min(...known), Math.max(...known)] : known;
    for (const value of values) runs[runs.length - 1].push([t, value]);
  }
  return runs;
}

/**
 * A curve of one value per frame, in the context's stroke style; a frame between two gaps is a dot.
 * @param {Canvas2D} context
 * @param {Float32Array} curve
 * @param {ToX} toX
 * @param {(value: number) => number} toY
 * @param {number} width
 */
export function drawCurve(context, curve, toX, toY, width) {
  context.lineJoin = "round";
  context.beginPath();
  for (const run of curveRuns(curve, width)) {
    const [[frame, value], ...others] = run;
    context.moveTo(toX(frame, width), toY(value));
    context.lineTo(toX(frame, width) + 0.01, toY(value));
    for (const [t, v] of others) context.lineTo(toX(t, width), toY(v));
  }
  context.stroke();
}

/**
 * The top of a lane's scale, readable where a curve passes under it.
 * @param {Canvas2D} context
 * @param {string} words
 * @param {number} y
 * @param {Pick<Palette, "muted" | "back" | "font" | "small">} colours
 */
export function drawTop(context, words, y, colours) {
  Object.assign(context, { fillStyle: colours.muted, strokeStyle: colours.back, lineWidth: 4 });
  Object.assign(context, { font: `${colours.small} ${colours.font}`, textBaseline: "top" });
  context.strokeText(words, EDGE_PX + 3, y + 3);
  context.fillText(words, EDGE_PX + 3, y + 3);
}

/**
 * The marks of a time axis: [seconds, the frame that is shown then]. The clip's times need not be even.
 * @param {ArrayLike<number>} times
 * @param {number} width in pixels
 * @param {number} first what is shown as the time of the first frame
 * @returns {[number, number][]}
 */
export function secondMarks(times, width, first = 0) {
  const last = times.length - 1;
  const seconds = Math.max(times[last], 1e-6);
  const step = TICKS_S.find((s) => (width / seconds) * s > TICK_PX) ?? TICKS_S[TICKS_S.length - 1];
  /** @type {[number, number][]} */
  const marks = [];
  for (let k = Math.max(0, Math.ceil(first / step - 1e-9)), t = 0; k * step - first <= seconds; k++) {
    while (t < last && times[t] < k * step - first - 1e-9) t += 1;
    marks.push([k * step, t]);
  }
  return marks;
}

/**
 * Seconds along the lower edge.
 * @param {Canvas2D} context
 * @param {Pick<Header, "times"> & Partial<Pick<Header, "first_s">>} header
 * @param {ToX} toX
 * @param {number} width
 * @param {number} height
 * @param {Pick<Palette, "muted" | "font" | "small">} colours
 */
export function drawSeconds(context, { times, first_s = 0 }, toX, width, height, colours) {
  Object.assign(context, { fillStyle: colours.muted, font: `${colours.small} ${colours.font}` });
  Object.assign(context, { textBaseline: "bottom", textAlign: "center" });
  for (const [s, t] of secondMarks(times, width, first_s)) {
    const words = `${Number(s.toFixed(1))} s`;
    const half = context.measureText(words).width / 2;
    context.fillText(words, clamp(toX(t, width), half, width - half), height);
  }
  context.textAlign = "start";
}

/**
 * The selected range of frames.
 * @param {Canvas2D} context
 * @param {[number, number] | null} range
 * @param {ToX} toX
 * @param {number} width
 * @param {number} height
 * @param {Pick<Palette, "accent">} colours
 */
export function drawRange(context, range, toX, width, height, colours) {
  if (!range) return;
  const [x0, x1] = range.map((frame) => toX(frame, width));
  context.globalAlpha = 0.15;
  context.fillStyle = colours.accent;
  context.fillRect(x0, 0, x1 - x0, height);
  context.globalAlpha = 1;
}

/**
 * Put the tooltip beside x, on the side that has room.
 * @param {HTMLElement} tooltip
 * @param {number} x
 * @param {number} width
 */
export function placeTooltip(tooltip, x, width) {
  tooltip.style.left = `${x}px`;
  tooltip.classList.toggle("dkd-flip", x > width / 2);
}
