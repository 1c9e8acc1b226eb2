// The drift from frame to frame: a curve that can be scrubbed, and buttons for its largest jumps.

import { context2d, h, icon } from "../core/dom.js";
import { fitted } from "../core/drawing.js";
import { clamp } from "../core/text.js";
import { GUTTER, largest } from "./matrix.js";
import { cursorLine } from "./strokes.js";

/** @import { Palette } from "../core/types.d.ts" */
/** @import { LineageState } from "./state.js" */
/** @import { Matrix } from "./messages.d.ts" */

const TOP = 10; // CSS pixels above the curve, for the marks of the jumps

/** @param {LineageState} state */
export function driftView(state) {
  const { store, cursor, signal } = state;
  const canvas = h("canvas", { class: "dkd-lineage-drift", role: "img" });
  const jumps = h("span", { class: "dkd-lineage-jumps" });
  const fitCanvas = fitted(canvas, signal, () => store.schedule());
  /** @type {Matrix | null} */
  let painted = null;

  /** @param {PointerEvent} event */
  const scrub = (event) => {
    if (!state.matrix || !(event.buttons & 1)) return;
    const box = canvas.getBoundingClientRect();
    const share = (event.clientX - box.left - GUTTER) / (box.width - GUTTER);
    const count = state.header.n_frames;
    cursor.seek(clamp(Math.floor(share * count), 0, count - 1), event.timeStamp);
  };
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      canvas.setPointerCapture(event.pointerId);
      scrub(event);
    },
    { signal },
  );
  canvas.addEventListener("pointermove", scrub, { signal });

  /** @param {Matrix} matrix */
  function showJumps({ jumps: frames, drift }) {
    const buttons = frames.map((frame) => {
      const value = drift[frame].toPrecision(2);
      const label = `Go to frame ${frame}, drift ${value}`;
      const onclick = () => cursor.seek(frame);
      const properties = { class: "dkd-text", title: label, onclick };
      return h("button", properties, `frame ${frame} · ${value}`);
    });
    jumps.replaceChildren(buttons.length ? "largest jumps" : "no jumps", ...buttons);
  }

  const where = h("div", { class: "dkd-where" }, "Drift", h("span", { class: "dkd-muted" }, " 1 − cos(Kₜ, Kₜ₋₁)"));
  const foot = h("div", { class: "dkd-lineage-foot" }, h("span", { class: "dkd-worst-mark" }, icon("down")), jumps);
  return {
    elements: [where, canvas, foot],
    /**
     * @param {Matrix} matrix
     * @param {number} frame
     * @param {Palette} colours
     */
    paint(matrix, frame, colours) {
      if (painted !== matrix) {
        painted = matrix;
        showJumps(matrix);
      }
      canvas.setAttribute("aria-label", describeDrift(matrix, frame));
      const [width, height] = fitCanvas();
      if (!width) return;
      const context = context2d(canvas);
      context.clearRect(0, 0, width, height);
      drawDrift(context, matrix, [width, height], colours);
      const x = frameX(frame, matrix.drift.length, width);
      cursorLine(context, [x, TOP - 1], [x, height - 1], colours);
    },
  };
}

/**
 * @param {Matrix} matrix
 * @param {number} frame
 */
export function describeDrift({ drift, jumps }, frame) {
  const value = frame ? drift[frame].toPrecision(2) : "none";
  const largest = jumps.map((t) => `frame ${t}, ${drift[t].toPrecision(2)}`).join("; ");
  return `Drift at frame ${frame}: ${value}; ${largest ? `largest jumps: ${largest}` : "no jumps"}`;
}

/**
 * @param {number} frame
 * @param {number} count
 * @param {number} width
 */
const frameX = (frame, count, width) => GUTTER + ((frame + 0.5) / count) * (width - GUTTER);

/**
 * The curve in its frame, the marks of the jumps above it, and the ends of its scale.
 * @param {CanvasRenderingContext2D} context
 * @param {Matrix} matrix
 * @param {[width: number, height: number]} size
 * @param {Palette} colours
 */
function drawDrift(context, { drift, jumps }, [width, height], colours) {
  const top = largest(drift, 1e-9);
  const x = (/** @type {number} */ t) => frameX(t, drift.length, width);
  const y = (/** @type {number} */ value) => TOP + (height - TOP - 2) * (1 - clamp(value / top, 0, 1));
  Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
  context.strokeRect(GUTTER + 0.5, TOP - 0.5, width - GUTTER - 1, height - TOP - 1);
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.5, lineJoin: "round" });
  context.beginPath();
  for (let t = 1, pen = false; t < drift.length; t++) {
    const known = Number.isFinite(drift[t]);
    if (known && pen) context.lineTo(x(t), y(drift[t]));
    if (known && !pen) context.moveTo(x(t), y(drift[t]));
    pen = known;
  }
  context.stroke();
  context.fillStyle = colours.ink;
  for (const t of jumps) {
    context.beginPath();
    context.moveTo(x(t) - 4, 0);
    context.lineTo(x(t) + 4, 0);
    context.lineTo(x(t), 7);
    context.fill();
  }
  Object.assign(context, { fillStyle: colours.muted, font: `${colours.small} ${colours.font}`, textAlign: "right" });
  context.textBaseline = "top";
  context.fillText(top < 1e-3 ? top.toExponential(1) : top.toPrecision(2), GUTTER - 5, 8);
  context.textBaseline = "bottom";
  context.fillText("0", GUTTER - 5, height);
}
