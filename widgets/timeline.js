// The timeline: three lanes over the clip, the cursor, the worst moments, the new starts of a lost track.

const LANE = 44; // CSS pixels
const GAP_PX = 10;
const AXIS = 20;
const FLAG = 13; // side of the flag at a frame that was started anew
const INSET = 7; // half of the slider's thumb: lanes and slider share their x axis

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
  canvas.style.height = `${3 * (LANE + GAP_PX) + AXIS}px`;
  let lanes = [];
  let still = { key: "" }; // the curves, drawn once for a size, joint and theme
  let hover = null;
  let drag = null;

  const fit = fitted(canvas, signal, () => {
    still.key = "";
    store.schedule();
  });

  const span = () => Math.max(1, store.header.n_frames - 1);
  const toX = (frame, width) => INSET + (frame / span()) * (width - 2 * INSET);
  const toFrame = (x, width) => clamp(Math.round(((x - INSET) / (width - 2 * INSET)) * span()), 0, span());
  const frameAt = (event) => toFrame(event.clientX - canvas.getBoundingClientRect().left, canvas.clientWidth);

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
      drawRange(context, width, height, colours);
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
    const name = people(header.joints[joint]);
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
    const picture = document.createElement("canvas");
    const ratio = globalThis.devicePixelRatio || 1;
    [picture.width, picture.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = picture.getContext("2d");
    context.scale(ratio, ratio);
    lanes.forEach((lane, i) => {
      const top = i * (LANE + GAP_PX) + GAP_PX;
      const toY = (value) => top + LANE * (1 - clamp(value / lane.top, 0, 1));
      Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
      for (const y of [top + 0.5, top + LANE + 0.5]) line(context, [INSET, y], [width - INSET, y]);
      if (lane.second) drawCurve(context, lane.second, toY, width, colours.muted, 1.25);
      drawCurve(context, lane.curve, toY, width, i < 2 ? colours[header.sides[joint]] : colours.ink, 1.75);
      // The top of the scale, readable where a curve passes under it.
      Object.assign(context, {
        fillStyle: colours.muted,
        strokeStyle: colours.back,
        lineWidth: 4,
        font: `11px ${colours.font}`,
        textBaseline: "top",
      });
      context.strokeText(lane.label(lane.top), INSET + 3, top + 4);
      context.fillText(lane.label(lane.top), INSET + 3, top + 4);
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
    drawAxis(context, width, height, colours);
    const moments = header.worst[joint].length;
    hint.textContent = moments ? `${moments} in this clip: low score, or a jump of the kernels` : "none in this clip";
    return picture;
  }

  // A curve; where several frames share a pixel column, the column spans their minimum and maximum.
  function drawCurve(context, curve, toY, width, colour, lineWidth) {
    Object.assign(context, { strokeStyle: colour, lineWidth, lineJoin: "round" });
    context.beginPath();
    let pen = false;
    const stride = Math.max(1, Math.floor(curve.length / (2 * width)));
    for (let t = 0; t < curve.length; t += stride) {
      const values = Array.from(curve.subarray(t, t + stride)).filter(Number.isFinite);
      if (!values.length) pen = false;
      for (const value of stride > 1 ? [Math.min(...values), Math.max(...values)] : values) {
        context[pen ? "lineTo" : "moveTo"](toX(t, width), toY(value));
        pen = true;
      }
    }
    context.stroke();
  }

  function startAt(frame) {
    return store.header.reinitialised.find((start) => start.frame === frame);
  }

  // A frame in which a lost track was started anew: a dashed line through all lanes, with a flag that says R.
  function drawStart(context, frame, width, height, colours) {
    const x = toX(frame, width);
    const left = x > width - 20 ? x - FLAG : x;
    Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.5 });
    context.setLineDash([4, 3]);
    line(context, [x, GAP_PX], [x, height - AXIS + 4]);
    context.setLineDash([]);
    context.fillStyle = colours.ink;
    context.fillRect(left, GAP_PX, FLAG, FLAG);
    Object.assign(context, {
      fillStyle: colours.back,
      font: `bold 11px ${colours.font}`,
      textBaseline: "middle",
      textAlign: "center",
    });
    context.fillText("R", left + FLAG / 2, GAP_PX + FLAG / 2 + 0.5);
    context.textAlign = "start";
  }

  function drawAxis(context, width, height, colours) {
    const { times, n_frames: count } = store.header;
    const seconds = times[count - 1];
    const step =
      [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300].find((s) => (width / Math.max(seconds, 1e-6)) * s > 70) ?? 600;
    Object.assign(context, {
      fillStyle: colours.muted,
      font: `11px ${colours.font}`,
      textBaseline: "bottom",
      textAlign: "center",
    });
    for (let s = 0, t = 0; s <= seconds; s += step) {
      while (t < count - 1 && times[t] < s - 1e-9) t += 1;
      const text = `${Number(s.toFixed(1))} s`;
      const half = context.measureText(text).width / 2;
      context.fillText(text, clamp(toX(t, width), half, width - half), height);
    }
    context.textAlign = "start";
  }

  function drawRange(context, width, height, colours) {
    const range = cursor.get("range");
    if (!range) return;
    const [x0, x1] = range.map((frame) => toX(frame, width));
    context.globalAlpha = 0.15;
    context.fillStyle = colours.accent;
    context.fillRect(x0, 0, x1 - x0, height - AXIS);
    context.globalAlpha = 1;
  }

  function drawLine(context, frame, width, height, colour, lineWidth) {
    Object.assign(context, { strokeStyle: colour, lineWidth });
    line(context, [toX(frame, width), 0], [toX(frame, width), height - AXIS + 4]);
  }

  function line(context, from, to) {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
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
    const x = toX(hover, width);
    tooltip.style.left = `${x}px`;
    tooltip.classList.toggle("dkd-flip", x > width / 2);
  }
}

export default {
  render: async (context) => {
    await mount(context, "timeline", "Timeline", buildTimeline);
  },
};
