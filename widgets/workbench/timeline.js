// The timeline: three lanes over the clip, the cursor, the worst moments, the new starts of a lost track.

import { palette } from "../core/colours.js";
import { h, icon } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import { actions } from "../core/keys.js";
import {
  drawCurve,
  drawLane,
  drawRange,
  drawSeconds,
  drawTop,
  frameAxis,
  LANE_PX,
  offscreen,
  placeTooltip,
} from "../core/lanes.js";
import { mount } from "../core/mount.js";
import { clamp, readable } from "../core/text.js";

const GAP_PX = 10; // between two lanes
const AXIS_PX = 20;
const FLAG_PX = 13; // side of the flag at a frame that was started anew

function buildTimeline(root, store, cursor, signal) {
  const canvas = h("canvas", { class: "dkd-lanes", role: "img" });
  const labels = h("div", { class: "dkd-lane-labels" });
  const values = h("div", { class: "dkd-lane-values" });
  const tooltip = h("div", { class: "dkd-tooltip", hidden: true });
  const plot = h("div", { class: "dkd-plot" }, canvas, tooltip);
  const act = actions(root, store, cursor);
  const jump = (label, name, by) =>
    h("button", { class: "dkd-text", title: label, "aria-label": label, onclick: () => act.worst(by) }, ...name);
  const hint = h("span", { class: "dkd-muted" });
  const jumpAnew = (label, name, by) =>
    h("button", { class: "dkd-text", title: label, "aria-label": label, onclick: () => act.anew(by) }, name);
  const anewHint = h("span", { class: "dkd-muted" });
  const anewFoot = h(
    "span",
    { class: "dkd-anew", hidden: true },
    h("span", { class: "dkd-anew-mark", "aria-hidden": "true" }, "R"),
    "re-initialised",
    jumpAnew("Previous new start (Shift M)", "previous", -1),
    jumpAnew("Next new start (M)", "next", 1),
    anewHint,
  );
  const foot = h(
    "div",
    { class: "dkd-lane-foot" },
    h("span", { class: "dkd-worst-mark" }, icon("down")),
    "worst moments",
    jump("Previous worst moment (P)", ["previous"], -1),
    jump("Next worst moment (N)", ["next"], 1),
    hint,
    anewFoot,
  );
  root.append(h("div", { class: "dkd-lanes-grid" }, labels, plot, values), foot);
  canvas.style.height = `${3 * (LANE_PX + GAP_PX) + AXIS_PX}px`;
  let lanes = [];
  let still = { key: "" }; // the curves, drawn once for a size, joint and theme
  let hover = null;
  let drag = null;

  const fit = fitted(canvas, signal, () => {
    still.key = "";
    store.schedule();
  });

  const { toX, frameAt } = frameAxis(store, canvas);

  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (!store.header || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      drag = { from: frameAt(event), range: event.shiftKey };
      if (!drag.range) cursor.seek(drag.from, event.timeStamp);
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!store.header) return;
      hover = frameAt(event);
      if (drag && !drag.range) cursor.seek(hover, event.timeStamp);
      else if (drag && hover !== drag.from)
        cursor.set("range", [Math.min(drag.from, hover), Math.max(drag.from, hover)], { now: false });
      store.schedule();
    },
    { signal },
  );
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (drag = null), { signal });
  canvas.addEventListener(
    "pointerleave",
    () => {
      hover = null;
      store.schedule();
    },
    { signal },
  );

  return {
    header({ anew }) {
      still.key = "";
      anewFoot.hidden = !anew.length;
      const where = anew.length === 1 ? `in frame ${anew[0]}` : `${anew.length} times`;
      anewHint.textContent = `lost and found ${where}`;
    },
    paint(record) {
      const { header } = store;
      const selected = store.joint();
      const colours = palette(root);
      const [width, height] = fit();
      if (!width) return; // not laid out, or not seen
      const key = [width, height, selected, colours.ink, colours.back, header.generation].join();
      if (key !== still.key) still = { key, picture: drawStill(width, height, selected, colours) };
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, width, height);
      context.drawImage(still.picture, 0, 0, width, height);
      drawRange(context, cursor.get("range"), toX, width, height - AXIS_PX, colours);
      if (hover !== null) drawLine(context, hover, width, height, colours.muted, 1);
      drawLine(context, record.frame, width, height, colours.accent, 2);
      lanes.forEach((lane) => (lane.shown.textContent = lane.text(record.frame)));
      canvas.setAttribute(
        "aria-label",
        `${lanes.map((l) => `${l.name} ${l.text(record.frame)}`).join(", ")} at frame ${record.frame}` +
          (startAt(record.frame) ? `; re-initialised here: ${startAt(record.frame).reason}` : ""),
      );
      showTooltip(width);
      root.dataset.frame = record.frame;
    },
  };

  // What the lanes show of the selected joint.
  function describe(joint) {
    const { header } = store;
    const count = header.joints.length;
    const name = readable(header.joints[joint]);
    const of = (values) => Float32Array.from({ length: header.n_frames }, (_, t) => values[t * count + joint]);
    const number = (value, digits, unit = "") => (Number.isFinite(value) ? value.toFixed(digits) + unit : "–");
    const top = (values) => values.reduce((a, b) => (b > a ? b : a), 1e-6);
    const [score, speed] = [of(header.sureness), of(header.speed)];
    const drift = Float32Array.from(header.drift, (value, t) => (t && header.channels ? value : NaN)); // none before frame 0
    return [
      {
        name: header.calibrated ? "confidence" : "score",
        title: header.calibrated
          ? "Probability that the joint lies within 0.1 of the larger side of the person's box"
          : "Height of the map's peak: this model has no calibration that makes a probability of it",
        unit: `${name}; mean grey`,
        curve: score,
        second: header.meanSureness,
        top: Math.max(1, top(score)),
        text: (t) => number(score[t], 3),
        label: (v) => v.toFixed(1),
      },
      {
        name: "speed",
        unit: `${name}, px/s`,
        curve: speed,
        top: top(speed),
        text: (t) => number(speed[t], 0, " px/s"),
        label: (v) => v.toFixed(0),
      },
      {
        name: "kernel drift",
        unit: header.channels ? "1 − cos(Kₜ, Kₜ₋₁)" : "no kernels",
        curve: drift,
        top: top(header.drift),
        text: (t) => number(drift[t], 4),
        label: (v) => (header.channels ? v.toPrecision(2) : ""),
      },
    ];
  }

  function drawStill(width, height, joint, colours) {
    const { header } = store;
    lanes = describe(joint);
    for (const lane of lanes) lane.shown = h("div");
    labels.replaceChildren(...lanes.map((l) => h("div", { title: l.title }, l.name, h("small", {}, l.unit))));
    values.replaceChildren(...lanes.map((l) => l.shown));
    const { picture, context } = offscreen(width, height);
    lanes.forEach((lane, i) => {
      const top = i * (LANE_PX + GAP_PX) + GAP_PX;
      const toY = (value) => top + LANE_PX * (1 - clamp(value / lane.top, 0, 1));
      drawLane(context, top, width, colours);
      const curves = [[lane.curve, i < 2 ? colours[header.sides[joint]] : colours.ink, 1.75]];
      if (lane.second) curves.unshift([lane.second, colours.muted, 1.25]);
      for (const [curve, strokeStyle, lineWidth] of curves) {
        Object.assign(context, { strokeStyle, lineWidth });
        drawCurve(context, curve, toX, toY, width);
      }
      drawTop(context, lane.label(lane.top), top, colours);
    });
    context.fillStyle = colours.ink;
    for (const frame of header.worst[joint]) {
      const x = toX(frame, width);
      context.beginPath();
      context.moveTo(x - 4, 1);
      context.lineTo(x + 4, 1);
      context.lineTo(x, 8);
      context.fill();
    }
    for (const frame of header.anew) drawStart(context, frame, width, height, colours);
    drawSeconds(context, header, toX, width, height, colours);
    const moments = header.worst[joint].length;
    hint.textContent = moments ? `${moments} in this clip: low score, or a jump of the kernels` : "none in this clip";
    return picture;
  }

  function startAt(frame) {
    return store.header.reinitialised.find((start) => start.frame === frame);
  }

  // A frame in which a lost track was started anew: a dashed line through all lanes, with a flag that says R.
  function drawStart(context, frame, width, height, colours) {
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
      font: `bold 11px ${colours.font}`,
      textBaseline: "middle",
      textAlign: "center",
    });
    context.fillText("R", left + FLAG_PX / 2, GAP_PX + FLAG_PX / 2 + 0.5);
    context.textAlign = "start";
  }

  function drawLine(context, frame, width, height, colour, lineWidth) {
    Object.assign(context, { strokeStyle: colour, lineWidth });
    stroke(context, [toX(frame, width), 0], [toX(frame, width), height - AXIS_PX + 4]);
  }

  function showTooltip(width) {
    tooltip.hidden = hover === null;
    if (hover === null) return;
    const { times, worst } = store.header;
    const start = startAt(hover);
    const tag = worst[store.joint()].includes(hover) ? " · worst moment" : "";
    tooltip.replaceChildren(
      h("b", {}, `frame ${hover} · ${times[hover].toFixed(3)} s${tag}`),
      ...lanes.map((l) => h("div", {}, `${l.name} ${l.text(hover)}`)),
      ...(start
        ? [
            h("b", {}, "R · re-initialised"),
            h("div", {}, start.reason),
            h("div", {}, `here ${start.before.toFixed(2)} had it gone on, ${start.after.toFixed(2)} anew`),
          ]
        : []),
    );
    placeTooltip(tooltip, toX(hover, width), width);
  }
}

export default {
  render: async (context) => {
    await mount(context, "timeline", "Timeline", buildTimeline);
  },
};
