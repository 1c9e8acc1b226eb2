// Curves over the frames of a clip, stacked in lanes: what the timeline and the coherence debugger draw alike.

import { stroke } from "./drawing.js";
import { clamp } from "./text.js";

export const LANE_PX = 44;
export const EDGE_PX = 7; // half of the slider's thumb: lanes and slider share their x axis
const TICKS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600]; // what may lie between two marks of the axis

// Where the frames of the store's clip lie across a canvas, in CSS pixels.
export function frameAxis(store, canvas) {
  const span = () => Math.max(1, store.header.n_frames - 1);
  const toX = (frame, width) => EDGE_PX + (frame / span()) * (width - 2 * EDGE_PX);
  const toFrame = (x, width) =>
    clamp(Math.round(((x - EDGE_PX) / (width - 2 * EDGE_PX)) * span()), 0, store.header.n_frames - 1);
  const frameAt = (event) => toFrame(event.clientX - canvas.getBoundingClientRect().left, canvas.clientWidth);
  return { toX, frameAt };
}

// A canvas of width × height CSS pixels that is not on the page: drawn once, and copied in every frame.
export function offscreen(width, height) {
  const picture = document.createElement("canvas");
  const ratio = globalThis.devicePixelRatio || 1;
  [picture.width, picture.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = picture.getContext("2d");
  context.scale(ratio, ratio);
  return { picture, context };
}

// The lines above and below a lane whose top is at y.
export function drawLane(context, y, width, colours) {
  Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
  for (const edge of [y + 0.5, y + LANE_PX + 0.5]) stroke(context, [EDGE_PX, edge], [width - EDGE_PX, edge]);
}

// A curve of a value a frame, in the context's stroke style; what is not a number is a gap, and a frame between two gaps
// a dot. Where several frames share a pixel column, the column spans their minimum and maximum.
export function drawCurve(context, curve, toX, toY, width) {
  context.lineJoin = "round";
  context.beginPath();
  let pen = false;
  const stride = Math.max(1, Math.floor(curve.length / (2 * width)));
  for (let t = 0; t < curve.length; t += stride) {
    const known = Array.from(curve.subarray(t, t + stride)).filter(Number.isFinite);
    if (!known.length) pen = false;
    for (const value of stride > 1 && known.length ? [Math.min(...known), Math.max(...known)] : known) {
      context[pen ? "lineTo" : "moveTo"](toX(t, width), toY(value));
      if (!pen) context.lineTo(toX(t, width) + 0.01, toY(value));
      pen = true;
    }
  }
  context.stroke();
}

// The top of a lane's scale, readable where a curve passes under it.
export function drawTop(context, words, y, colours) {
  Object.assign(context, { fillStyle: colours.muted, strokeStyle: colours.back, lineWidth: 4 });
  Object.assign(context, { font: `11px ${colours.font}`, textBaseline: "top" });
  context.strokeText(words, EDGE_PX + 3, y + 3);
  context.fillText(words, EDGE_PX + 3, y + 3);
}

// Seconds along the lower edge, at the frames that are shown then: the clip's times need not be even.
export function drawSeconds(context, { times, n_frames: count }, toX, width, height, colours) {
  const seconds = Math.max(times[count - 1], 1e-6);
  const step = TICKS_S.find((s) => (width / seconds) * s > 70) ?? TICKS_S.at(-1);
  Object.assign(context, { fillStyle: colours.muted, font: `11px ${colours.font}` });
  Object.assign(context, { textBaseline: "bottom", textAlign: "center" });
  for (let s = 0, t = 0; s <= seconds; s += step) {
    while (t < count - 1 && times[t] < s - 1e-9) t += 1;
    const words = `${Number(s.toFixed(1))} s`;
    const half = context.measureText(words).width / 2;
    context.fillText(words, clamp(toX(t, width), half, width - half), height);
  }
  context.textAlign = "start";
}

// The selected range [first, last], or null.
export function drawRange(context, range, toX, width, height, colours) {
  if (!range) return;
  const [x0, x1] = range.map((frame) => toX(frame, width));
  context.globalAlpha = 0.15;
  context.fillStyle = colours.accent;
  context.fillRect(x0, 0, x1 - x0, height);
  context.globalAlpha = 1;
}

// Put the tooltip beside x, on the side that has room.
export function placeTooltip(tooltip, x, width) {
  tooltip.style.left = `${x}px`;
  tooltip.classList.toggle("dkd-flip", x > width / 2);
}
