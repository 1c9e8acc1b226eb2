// The timeline: three lanes over the clip, the cursor, the worst moments, where the track looks like somebody else, and
// where a lost track was re-initialised.

import { palette } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import { drawRange, frameAxis, placeTooltip } from "../core/lanes.js";
import { mount } from "../core/mount.js";
import { numberOf, secondsOf } from "../core/text.js";
import { buildFoot } from "./timeline_foot.js";
import { describeLanes } from "./timeline_lanes.js";
import { AXIS_PX, drawStill } from "./timeline_still.js";
import { STRANGE } from "./timeline_strange.js";
import { warningsAt } from "./timeline_warnings.js";

/** @import { Context, Header } from "../core/types.d.ts" */
/** @import { Build } from "../core/mount.js" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Lane } from "./timeline_lanes.js" */

/** @type {Build} */
function buildTimeline(root, store, cursor, signal) {
  const canvas = h("canvas", { class: "dkd-lanes", role: "img" });
  const labels = h("div", { class: "dkd-lane-labels" });
  const values = h("div", { class: "dkd-lane-values" });
  const tooltip = h("div", { class: "dkd-tooltip", hidden: true });
  const plot = h("div", { class: "dkd-plot" }, canvas, tooltip);
  const foot = buildFoot(root, store, cursor);
  root.append(h("div", { class: "dkd-lanes-grid" }, labels, plot, values), foot.element);
  /** @type {Lane[]} */
  let lanes = [];
  /** @type {HTMLElement[]} */
  let numbers = [];
  let still = { key: "", picture: canvas }; // the curves, drawn once for a size, joint and theme

  const fit = fitted(canvas, signal, () => {
    still.key = "";
    store.schedule();
  });
  const { toX, frameAt } = frameAxis(store, canvas);
  const pointer = followPointer(canvas, frameAt, store, cursor, signal);

  /** @param {number} joint */
  function describe(joint) {
    lanes = describeLanes(store.header, joint);
    numbers = lanes.map(() => h("div"));
    labels.replaceChildren(...lanes.map((l) => h("div", { title: l.title }, l.name, h("small", {}, l.unit))));
    values.replaceChildren(...numbers);
  }

  /**
   * A line through all lanes.
   * @param {number} frame
   * @param {{ width: number, bottom: number, colour: string, lineWidth: number }} style
   */
  function drawFrame(frame, { width, bottom, colour, lineWidth }) {
    const context = context2d(canvas);
    Object.assign(context, { strokeStyle: colour, lineWidth });
    stroke(context, [toX(frame, width), 0], [toX(frame, width), bottom]);
  }

  /** @param {number} width */
  function showTooltip(width) {
    tooltip.hidden = pointer.hover === null;
    if (pointer.hover === null) return;
    tooltip.replaceChildren(...describeFrame(store.header, lanes, store.joint(), pointer.hover));
    placeTooltip(tooltip, toX(pointer.hover, width), width);
  }

  return {
    header(header) {
      still.key = "";
      foot.header(header);
    },
    paint({ frame }) {
      const { header } = store;
      const selected = store.joint();
      const colours = palette(root);
      const [width, height] = fit();
      if (!width) return; // not laid out, or not seen
      const key = [width, height, selected, colours.ink, colours.back, header.generation].join();
      if (key !== still.key) {
        describe(selected);
        still = { key, picture: drawStill(header, lanes, selected, { width, height, colours, toX }) };
        foot.joint(selected);
      }
      const context = context2d(canvas);
      context.clearRect(0, 0, width, height);
      context.drawImage(still.picture, 0, 0, width, height);
      drawRange(context, cursor.get("range"), toX, width, height - AXIS_PX, colours);
      const bottom = height - AXIS_PX + 4;
      if (pointer.hover !== null) drawFrame(pointer.hover, { width, bottom, colour: colours.muted, lineWidth: 1 });
      drawFrame(frame, { width, bottom, colour: colours.accent, lineWidth: 2 });
      lanes.forEach((lane, i) => {
        numbers[i].textContent = lane.text(frame);
      });
      canvas.setAttribute("aria-label", inWords(header, lanes, frame));
      showTooltip(width);
      root.dataset.frame = String(frame);
    },
  };
}

/**
 * Click or drag to move; shift-drag selects a range.
 * @param {HTMLCanvasElement} canvas
 * @param {(event: MouseEvent) => number} frameAt
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 */
function followPointer(canvas, frameAt, store, cursor, signal) {
  const state = { hover: /** @type {number | null} */ (null) };
  /** @type {{ from: number, isRange: boolean } | null} */
  let drag = null;
  const onDown = (/** @type {PointerEvent} */ event) => {
    if (!store.header || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { from: frameAt(event), isRange: event.shiftKey };
    if (!drag.isRange) cursor.seek(drag.from, event.timeStamp);
  };
  const onMove = (/** @type {PointerEvent} */ event) => {
    if (!store.header) return;
    const frame = frameAt(event);
    state.hover = frame;
    if (drag && !drag.isRange) cursor.seek(frame, event.timeStamp);
    else if (drag && frame !== drag.from)
      cursor.set("range", [Math.min(drag.from, frame), Math.max(drag.from, frame)], { now: false });
    store.schedule();
  };
  const onEnd = () => {
    drag = null;
  };
  const onLeave = () => {
    state.hover = null;
    store.schedule();
  };
  canvas.addEventListener("pointerdown", onDown, { signal });
  canvas.addEventListener("pointermove", onMove, { signal });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, onEnd, { signal });
  canvas.addEventListener("pointerleave", onLeave, { signal });
  return state;
}

/**
 * @param {Header} header
 * @param {number} frame
 */
const startAt = (header, frame) => header.reinitialised.find((start) => start.frame === frame);

/**
 * @param {Header} header
 * @param {Lane[]} lanes
 * @param {number} frame
 */
function inWords(header, lanes, frame) {
  const start = startAt(header, frame);
  const numbers = lanes.map((lane) => `${lane.name} ${lane.text(frame)}`).join(", ");
  const warned = warningsAt(header, frame).map(({ text }) => `; about the video: ${text}`);
  const said = [
    header.strange.includes(frame) ? `; ${STRANGE}` : "",
    start ? `; re-initialised here: ${start.reason}` : "",
    ...warned,
  ];
  return `${numbers} at frame ${numberOf(header, frame)}${said.join("")}`;
}

/**
 * What the tooltip says of a frame.
 * @param {Header} header
 * @param {Lane[]} lanes
 * @param {number} joint
 * @param {number} frame
 */
function describeFrame(header, lanes, joint, frame) {
  const tag = header.worst[joint].includes(frame) ? " · worst moment" : "";
  const lines = [
    h("b", {}, `frame ${numberOf(header, frame)} · ${secondsOf(header, frame).toFixed(3)} s${tag}`),
    ...lanes.map((lane) => h("div", {}, `${lane.name} ${lane.text(frame)}`)),
  ];
  if (header.strange.includes(frame)) lines.push(h("div", {}, STRANGE));
  for (const { text } of warningsAt(header, frame))
    lines.push(h("div", { class: "dkd-warning" }, h("b", {}, "! "), text));
  const start = startAt(header, frame);
  if (!start) return lines;
  const scores = `score here ${start.after.toFixed(2)}; ${start.before.toFixed(2)} without`;
  return [...lines, h("b", {}, "R · re-initialised"), h("div", {}, start.reason), h("div", {}, scores)];
}

export default {
  /** @param {Context} context */
  render: async (context) => {
    await mount(context, "timeline", "Timeline", buildTimeline);
  },
};
