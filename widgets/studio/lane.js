// A lane below the timeline: how far the corrected track is from the uncorrected one, corrections and bookmarks.

import { palette } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import { drawCurve, drawLane, drawRange, drawTop, frameAxis } from "../core/lanes.js";
import { clamp } from "../core/text.js";

/** @import { Header, Palette } from "../core/types.d.ts" */
/** @import { ToX } from "../core/lanes.js" */
/** @import { Editing } from "./editing.js" */

const TOP_PX = 13; // above the lane, for the marks
const BOTTOM_PX = 4; // below it; the style sheet gives the canvas its height
const LEAST = 1; // the lane's scale reaches to so many pixels of the frame at least

/**
 * How far two tracks are apart in each frame, in pixels of the frame: one joint, and the joint that is furthest off.
 * @param {Pick<Header, "joints" | "tracks" | "n_frames">} header
 * @param {Float32Array | null} uncorrected
 * @param {number} joint
 */
export function apart({ joints, tracks, n_frames: n }, uncorrected, joint) {
  const [mine, worst] = [new Float32Array(n), new Float32Array(n)];
  if (!uncorrected) return { mine, worst };
  for (let t = 0; t < n; t++) {
    for (let j = 0; j < joints.length; j++) {
      const k = 2 * (t * joints.length + j);
      const distance = Math.hypot(tracks[k] - uncorrected[k], tracks[k + 1] - uncorrected[k + 1]) || 0;
      if (j === joint) mine[t] = distance;
      worst[t] = Math.max(worst[t], distance);
    }
  }
  return { mine, worst };
}

/**
 * @param {HTMLElement} root
 * @param {Editing} editing
 * @param {AbortSignal} signal
 */
export function buildCorrectionLane(root, editing, signal) {
  const { store, cursor } = editing;
  const canvas = h("canvas", { class: "dkd-lanes dkd-edit-lane", role: "img" });
  const unit = h("small");
  const value = h("div", { class: "dkd-lane-values" }, h("div"));
  const label = h("div", { title: "Between the corrected and the uncorrected run" }, "correction", unit);
  const labels = h("div", { class: "dkd-lane-labels" }, label);
  const element = h(
    "div",
    { class: "dkd-lanes-grid dkd-edit-lanes" },
    labels,
    h("div", { class: "dkd-plot" }, canvas),
    value,
  );
  const fit = fitted(canvas, signal, () => store.schedule());
  const { toX, frameAt } = frameAxis(store, canvas);
  const seek = (/** @type {PointerEvent} */ event) => store.header && cursor.seek(frameAt(event), event.timeStamp);
  const down = (/** @type {PointerEvent} */ event) => {
    canvas.setPointerCapture?.(event.pointerId);
    seek(event);
  };
  canvas.addEventListener("pointerdown", down, { signal });
  canvas.addEventListener("pointermove", (event) => event.buttons && seek(event), { signal });
  let known = { key: "", ...apart({ joints: [], tracks: new Float32Array(), n_frames: 0 }, null, 0) };

  return {
    element,
    paint() {
      const { header, shown } = store;
      if (!header || !shown) return;
      const joint = store.joint();
      const key = [header.generation, header.n_frames, joint, editing.version].join();
      if (key !== known.key) known = { key, ...apart(header, editing.uncorrected, joint) };
      const colours = palette(root);
      const [width, height] = fit();
      unit.textContent = "px; worst joint grey";
      const here = known.mine[shown.frame];
      /** @type {HTMLElement} */ (value.firstChild).textContent = editing.uncorrected ? `${here.toFixed(1)} px` : "–";
      const count = editing.edits.corrections.length;
      canvas.setAttribute("aria-label", `${count} corrections; ${here.toFixed(1)} pixels from the uncorrected run`);
      if (!width) return;
      const context = context2d(canvas);
      context.clearRect(0, 0, width, height);
      const place = { width, bottom: height - BOTTOM_PX, toX };
      drawDistances(context, known, place, colours, colours[header.sides[joint]]);
      drawMarks(context, editing, header.joints[joint], place, colours);
      drawRange(context, cursor.get("range"), toX, width, height, colours);
      Object.assign(context, { strokeStyle: colours.accent, lineWidth: 2 });
      stroke(context, [toX(shown.frame, width), TOP_PX], [toX(shown.frame, width), height]);
    },
  };
}

/** @typedef {{ width: number, bottom: number, toX: ToX }} Place the lane's right and lower end */

/** @type {(context: CanvasRenderingContext2D, curves: { mine: Float32Array, worst: Float32Array }, place: Place, colours: Palette, colour: string) => void} */
function drawDistances(context, { mine, worst }, { width, bottom, toX }, colours, colour) {
  const top = worst.reduce((a, b) => Math.max(a, b), LEAST);
  const toY = (/** @type {number} */ px) => bottom - (bottom - TOP_PX) * clamp(px / top, 0, 1);
  drawLane(context, TOP_PX, width, colours, bottom - TOP_PX);
  Object.assign(context, { strokeStyle: colours.muted, lineWidth: 1.25 });
  drawCurve(context, worst, toX, toY, width);
  Object.assign(context, { strokeStyle: colour, lineWidth: 1.75 });
  drawCurve(context, mine, toX, toY, width);
  drawTop(context, `${top.toFixed(top < 10 ? 1 : 0)} px`, TOP_PX, colours);
}

/**
 * Corrections of the selected joint are large diamonds, others small; ranges are bars; bookmarks are flags.
 * @param {CanvasRenderingContext2D} context
 * @param {Editing} editing
 * @param {string} joint
 * @param {Place} place
 * @param {Palette} colours
 */
function drawMarks(context, { edits, bookmarks }, joint, { width, bottom, toX }, colours) {
  for (const { first, last, joint: of } of edits.corrections) {
    if (first === null || last === null) continue;
    const size = of === joint ? 5 : 3.5;
    context.globalAlpha = of === joint || of === null ? 1 : 0.6;
    context.fillStyle = colours.ink;
    if (last > first) context.fillRect(toX(first, width), 5, toX(last, width) - toX(first, width), 3);
    for (const frame of new Set([first, last])) drawDiamond(context, toX(frame, width), 6.5, size);
  }
  context.globalAlpha = 1;
  context.fillStyle = colours.accent;
  for (const { frame } of bookmarks) {
    const x = toX(frame, width);
    context.fillRect(x - 0.75, 0, 1.5, bottom);
    context.fillRect(x, 0, 8, 6);
  }
}

/** @type {(context: CanvasRenderingContext2D, x: number, y: number, size: number) => void} */
function drawDiamond(context, x, y, size) {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.fill();
}
