// The coherence debugger: lanes over the clip, what stands out, and figures of a range. The kernel measures; which
// lanes and moments are shown is decided here, so that filters and the cursor need no round trip.

import { copyText, downloadText } from "../core/clipboard.js";
import { palette } from "../core/colours.js";
import { h } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import {
  drawCurve,
  drawLane,
  drawRange,
  drawSeconds,
  drawTop,
  EDGE_PX,
  frameAxis,
  LANE_PX,
  offscreen,
  placeTooltip,
} from "../core/lanes.js";
import { mount } from "../core/mount.js";
import { clamp, mean, readable } from "../core/text.js";
import { unpack } from "../core/wire.js";

const LANE_GAP_PX = 12;
const STRIP_PX = 18; // above the lanes: where the moments of the list are
const AXIS_PX = 18;
const MOST_ROWS = 60;
const HIDDEN_AT_FIRST = ["score", "acceleration", "swapped", "reconstruction", "border"];
const SCOPES = { joint: "selected joint", worst: "all joints, the worst", mean: "all joints, the mean" };
const DASHES = [[], [7, 4]]; // A, B

function buildDebugger(root, store, cursor, signal, model) {
  const state = {
    data: null,
    shown: null, // keys of the lanes that are shown; null before the first data
    scope: "joint",
    reason: "",
    mine: false, // only the selected joint's moments
    rows: [],
    chosen: null, // the moment that was gone to last
    hover: null,
    drag: null,
    asked: null, // key of the figures that are under way
    figures: null,
  };
  const figure = (value) => {
    if (!Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size && size < 1e-3) return value.toPrecision(2);
    return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 3);
  };

  // ---- what stands on the page

  const legend = h("span", { class: "dkd-debugger-legend" });
  const scope = h(
    "select",
    { "aria-label": "Lanes of", onchange: () => change({ scope: scope.value }) },
    ...Object.entries(SCOPES).map(([value, label]) => h("option", { value }, label)),
  );
  const toggles = h("div", { class: "dkd-debugger-toggles", role: "group", "aria-label": "Lanes that are shown" });
  const absent = h("details", { class: "dkd-muted", hidden: true });
  const canvas = h("canvas", { class: "dkd-lanes dkd-debugger-canvas", tabindex: "0", role: "slider" });
  canvas.setAttribute("aria-label", "Lanes over the clip; Shift and arrow keys select a range");
  const tooltip = h("div", { class: "dkd-tooltip", hidden: true });
  const labels = h("div", { class: "dkd-debugger-names" });
  const values = h("div", { class: "dkd-debugger-values" });
  const reason = h("select", { "aria-label": "Reason", onchange: () => change({ reason: reason.value }) });
  const mine = h("input", { type: "checkbox", onchange: () => change({ mine: mine.checked }) });
  const count = h("span", { class: "dkd-muted", role: "status" });
  const body = h("tbody");
  const heading = (name) => h("th", { scope: "col" }, name);
  const both = heading("in");
  const list = h(
    "table",
    { class: "dkd-moments" },
    h("thead", {}, h("tr", {}, ...["severity", "frames", "reason"].map(heading), both, heading("what happens"))),
    body,
  );
  const said = h("span", { class: "dkd-muted", role: "status" });
  const button = (label, title, onclick) => h("button", { class: "dkd-button", title, onclick }, label);
  const where = h("span", { class: "dkd-muted", role: "status" });
  const clear = button("whole clip", "Let go of the range (Escape)", () => cursor.set("range", null));
  const figuresHead = h("thead");
  const figuresBody = h("tbody");
  const figures = h("table", { class: "dkd-results dkd-figures" }, figuresHead, figuresBody);
  const stale = h("div", { class: "dkd-muted", role: "status" }, "measuring …");
  root.append(
    h(
      "header",
      {},
      h("h3", {}, "Coherence"),
      legend,
      h("label", { class: "dkd-check dkd-debugger-scope" }, "Lanes of", scope),
    ),
    toggles,
    stale,
    h("div", { class: "dkd-lanes-grid" }, labels, h("div", { class: "dkd-plot" }, canvas, tooltip), values),
    h(
      "p",
      { class: "dkd-debugger-hint" },
      "Click to go there; drag, or Shift with the arrow keys, selects a range; N and P go through the list.",
    ),
    absent,
    h(
      "div",
      { class: "dkd-debugger-columns" },
      h(
        "section",
        { "aria-label": "Moments that stand out" },
        h(
          "header",
          {},
          h("h4", {}, "Moments that stand out"),
          h("label", { class: "dkd-check" }, "Reason", reason),
          h("label", { class: "dkd-check dkd-mine" }, mine, "selected joint only"),
          count,
        ),
        h("div", { class: "dkd-moments-scroll", tabindex: "-1" }, list),
        h(
          "div",
          { class: "dkd-results-bar" },
          button("CSV", "Save the moments of this list as a CSV file", () => save("csv")),
          button("JSON", "Save the moments of this list as a JSON file", () => save("json")),
          button("copy as Python", "Copy Python that opens this view and gives these tables", copyCode),
          said,
        ),
      ),
      h(
        "section",
        { "aria-label": "Figures of the range" },
        h("header", {}, h("h4", {}, "Figures"), where, clear),
        h(
          "div",
          { class: "dkd-results-scroll", tabindex: "0", role: "region", "aria-label": "Table of figures" },
          figures,
        ),
      ),
    ),
  );

  // ---- the kernel

  const ask = (content) => {
    try {
      model.send(content);
      return true;
    } catch (error) {
      say("the kernel does not answer");
      return false;
    }
  };
  let clock = 0;
  function say(words) {
    said.textContent = words;
    clearTimeout(clock);
    clock = setTimeout(() => (said.textContent = ""), 4000);
  }
  const listJoint = () => (state.mine ? cursor.get("joint") : null);
  const figuresJoint = () => (state.scope === "joint" ? cursor.get("joint") : null);
  function save(format) {
    if (ask({ type: "export", format, joint: listJoint(), reason: state.reason || null })) say("asking the kernel …");
  }
  function copyCode() {
    const names = ["frame", "joint", "range"].map((name) => [name, cursor.get(name)]);
    const filters = { list_joint: listJoint(), figures_joint: figuresJoint(), reason: state.reason };
    ask({ type: "code", state: { ...Object.fromEntries(names), ...filters } });
  }
  const onMessage = async (content, buffers) => {
    if (content.type === "diagnosis") receive(content, buffers);
    if (content.type === "statistics") {
      state.asked = null;
      if (content.key === figuresKey()) showFigures(content);
      store.schedule();
    }
    if (content.type === "export") {
      const types = { csv: "text/csv", json: "application/json" };
      downloadText(content.text, `moments.${content.format}`, types[content.format]);
      say(`saved as moments.${content.format}`);
    }
    if (content.type === "code") say((await copyText(content.text, root)) ? "copied" : "press Ctrl-C to copy");
  };
  model.on("msg:custom", onMessage);
  const onError = () => {
    if (model.get("_error")) stale.hidden = true; // it stands below
  };
  model.on("change:_error", onError);
  signal.addEventListener("abort", () => {
    clearTimeout(clock);
    model.off("msg:custom", onMessage);
    model.off("change:_error", onError);
  });

  function receive(content, buffers) {
    if (content.generation !== store.header?.generation) return;
    let next = 0;
    for (const lane of content.lanes)
      lane.values = lane.has.map((has) => (has ? unpack(buffers[next++], Float32Array) : null));
    state.data = content;
    state.shown ??= new Set(content.lanes.map((l) => l.key).filter((key) => !HIDDEN_AT_FIRST.includes(key)));
    if (!content.lanes.some((l) => l.key === "confidence")) state.shown.add("score");
    Object.assign(state, { chosen: null, figures: null, asked: null });
    stale.hidden = true;
    const names = content.models;
    legend.replaceChildren(
      ...names.map((name, i) => {
        const line = h("i", { class: i ? "dkd-line dkd-dashed" : "dkd-line" });
        return h("span", {}, line, names.length > 1 ? h("b", {}, "AB"[i]) : "", name);
      }),
      content.dropped ? "the other trace has other frames or joints, and is left out" : "",
    );
    both.hidden = names.length < 2;
    toggles.replaceChildren(
      ...content.lanes.map((lane) => {
        const box = h("input", { type: "checkbox", onchange: () => toggle(lane.key, box.checked) });
        box.checked = state.shown.has(lane.key);
        return h("label", { class: "dkd-check", title: lane.help }, box, lane.label);
      }),
    );
    absent.hidden = !content.missing.length;
    const why = (m) => h("li", {}, h("b", {}, m.lane, m.which ? ` of ${m.which}: ` : ": "), m.why);
    absent.replaceChildren(
      h("summary", {}, `${content.missing.length} ${content.missing.length > 1 ? "lanes are" : "lane is"} not here`),
      h("ul", {}, ...content.missing.map(why)),
    );
    const there = content.reasons.filter((r) => content.moments.some((m) => m.reason === r));
    if (!there.includes(state.reason)) state.reason = "";
    reason.replaceChildren(h("option", { value: "" }, "all"), ...there.map((r) => h("option", { value: r }, r)));
    reason.value = state.reason;
    change({});
  }

  function toggle(key, on) {
    on ? state.shown.add(key) : state.shown.delete(key);
    change({});
  }

  function change(values) {
    Object.assign(state, values);
    still.key = list.dataset.key = "";
    store.schedule();
  }

  // ---- the list

  const isOf = (moment, joint) =>
    moment.joint === null ||
    moment.joint === joint ||
    (moment.reason === "flip" && moment.joint === joint.replace("right_", "left_"));

  function fillList() {
    const { moments, models } = state.data;
    const joint = cursor.get("joint");
    const key = [state.data.generation, state.reason, state.mine && joint, moments.length].join();
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    const fitting = moments.filter(
      (m) => (!state.reason || m.reason === state.reason) && (!state.mine || isOf(m, joint)),
    );
    state.rows = fitting.slice(0, MOST_ROWS);
    const top = Math.max(...moments.map((m) => m.severity), 1);
    const hadFocus = body.contains(root.getRootNode().activeElement);
    body.replaceChildren(...state.rows.map((moment, i) => row(moment, i, top, models.length > 1)));
    count.textContent =
      fitting.length > MOST_ROWS ? `the first ${MOST_ROWS} of ${fitting.length}` : `${fitting.length || "none"} found`;
    const current = Math.max(0, state.rows.indexOf(state.chosen));
    body.querySelectorAll("button").forEach((b, i) => (b.tabIndex = i === current ? 0 : -1));
    if (hadFocus) body.querySelectorAll("button")[current]?.focus({ preventScroll: true });
  }

  const inWhich = (m) => (m.other !== null && m.other >= 1 ? "both" : "AB"[m.which]);
  function severities(m) {
    const mine = `${"AB"[m.which]} ${tenths(m.severity)}`;
    const other = m.other === null ? "not measured" : m.other < 1 ? "nothing" : tenths(m.other);
    return `${mine}, ${"BA"[m.which]} ${other}`;
  }
  const tenths = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0));

  function row(moment, i, top, isPair) {
    const { first, last, frame } = moment;
    const span = first === last ? `${frame}` : `${first}–${last}`;
    const since = first === last ? `frame ${frame}` : `frames ${first} to ${last}, worst in ${frame}`;
    const pair = isPair ? `; in ${inWhich(moment)}: ${severities(moment)}` : "";
    const label = `${moment.reason}, ${since}, severity ${tenths(moment.severity)}${pair}: ${moment.text}`;
    const go = h("button", { class: "dkd-go", title: label, "aria-label": label, onclick: () => goTo(i) }, span);
    const share = ((100 * Math.log1p(moment.severity)) / Math.log1p(top)).toFixed(1); // one may be 100 times another
    const element = h(
      "tr",
      { onclick: (event) => event.target !== go && goTo(i) },
      h("td", {}, h("b", {}, tenths(moment.severity)), h("i", { class: "dkd-severity", style: `width: ${share}%` })),
      h("td", {}, go),
      h("td", {}, moment.reason),
      ...(isPair ? [h("td", {}, h("b", {}, inWhich(moment)), h("small", {}, severities(moment)))] : []),
      h("td", {}, moment.text),
    );
    Object.assign(element.dataset, { frame: moment.frame, reason: moment.reason, joint: moment.joint ?? "" });
    return element;
  }

  function goTo(i) {
    const moment = state.rows[i];
    if (!moment) return;
    state.chosen = moment;
    if (moment.joint && !(state.mine && isOf(moment, cursor.get("joint")))) cursor.set("joint", moment.joint);
    cursor.seek(moment.frame);
    body.querySelectorAll("button").forEach((b, k) => (b.tabIndex = k === i ? 0 : -1));
    // Only the list itself scrolls: the page stays where it is.
    const element = body.rows[i];
    const scroll = list.parentElement;
    const head = list.tHead.offsetHeight;
    if (element.offsetTop - head < scroll.scrollTop) scroll.scrollTop = element.offsetTop - head;
    const below = element.offsetTop + element.offsetHeight - scroll.clientHeight;
    if (below > scroll.scrollTop) scroll.scrollTop = below;
    store.schedule();
  }

  body.addEventListener(
    "keydown",
    (event) => {
      const buttons = [...body.querySelectorAll("button")];
      const here = buttons.indexOf(event.target);
      const to = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (here < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      if (!buttons[to]) return;
      buttons[here].tabIndex = -1;
      buttons[to].tabIndex = 0;
      buttons[to].focus();
    },
    { signal },
  );
  root.addEventListener(
    "keydown",
    (event) => {
      const by = { n: 1, p: -1 }[event.key.toLowerCase()];
      if (!by || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, textarea")) return;
      const here = state.rows.indexOf(state.chosen);
      if (state.data) goTo(clamp(here + by, 0, state.rows.length - 1));
      event.preventDefault();
      event.stopImmediatePropagation(); // here it is this list, not the timeline's marks
    },
    { signal },
  );

  // ---- the figures

  function span() {
    return cursor.get("range") ?? [0, cursor.get("n_frames") - 1];
  }
  const figuresKey = () => [store.header?.generation, ...span(), figuresJoint()].join();

  function wantFigures() {
    const key = figuresKey();
    if (state.figures?.key === key || state.asked) return;
    const [first, last] = span();
    if (ask({ type: "statistics", first, last, joint: figuresJoint(), key })) state.asked = key;
  }

  function showFigures(content) {
    state.figures = content;
    const names = state.data.models.length > 1 ? ["A", "B"] : [""];
    const shown = [
      ["mean", 0],
      ["median", 1],
      ["min", 2],
      ["max", 3],
    ];
    const who = content.joint ? readable(content.joint) : "all joints";
    const frames = `frames ${content.first} to ${content.last}`;
    where.textContent = `${cursor.get("range") ? frames : "the whole clip"}, ${who}`;
    clear.hidden = !cursor.get("range");
    const pair = names.length > 1;
    const wide = ([name]) => h("th", { scope: "colgroup", colspan: 2, class: "dkd-number" }, name);
    figuresHead.replaceChildren(
      ...(pair ? [h("tr", {}, h("td"), ...shown.map(wide))] : []),
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "lane"),
        ...shown.flatMap(([name]) => names.map((n) => h("th", { scope: "col", class: "dkd-number" }, pair ? n : name))),
      ),
    );
    figuresBody.replaceChildren(
      ...content.rows.map((r) => {
        const better = betterOf(r);
        const cells = shown.flatMap(([name, k]) =>
          names.map((n, i) => {
            const number = figure(r.values[i]?.[k] ?? NaN);
            const mark = k === 0 && better === i;
            const title = mark ? `${name}: ${n} is better` : undefined;
            return h("td", { class: "dkd-number", title }, mark ? h("b", {}, `✓ ${number}`) : number);
          }),
        );
        const element = h("tr", {}, h("th", { scope: "row" }, r.label), ...cells);
        element.dataset.lane = r.key;
        return element;
      }),
    );
    root.dataset.figures = content.key;
  }

  // Which of two has the better mean; a distance to the border is neither good nor bad while it is inside.
  function betterOf({ key, values: pair, low_is_bad: lowIsBad }) {
    if (pair.length < 2 || key === "border") return null;
    const [a, b] = pair.map((v) => v?.[0] ?? NaN);
    if (!(Math.abs(a - b) > 1e-9)) return null;
    return a > b === lowIsBad ? 0 : 1;
  }

  // ---- the lanes

  let still = { key: "" }; // the curves, drawn once for a size, joint, choice and theme
  let lanes = [];
  const fit = fitted(canvas, signal, () => {
    still.key = "";
    store.schedule();
  });
  const { toX, frameAt } = frameAxis(store, canvas);

  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (!state.data || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      state.drag = { from: frameAt(event), x: event.clientX, moved: false };
      canvas.focus({ preventScroll: true });
      event.stopPropagation(); // the focus is here, not on the view
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!state.data) return;
      state.hover = frameAt(event);
      if (state.drag) {
        state.drag.moved ||= Math.abs(event.clientX - state.drag.x) > 4;
        const { from, moved } = state.drag;
        if (moved && state.hover !== from)
          cursor.set("range", [Math.min(from, state.hover), Math.max(from, state.hover)], { now: false });
      }
      store.schedule();
    },
    { signal },
  );
  canvas.addEventListener(
    "pointerup",
    (event) => {
      if (state.drag && !state.drag.moved) cursor.seek(frameAt(event), event.timeStamp);
      state.drag = null;
    },
    { signal },
  );
  canvas.addEventListener("pointercancel", () => (state.drag = null), { signal });
  canvas.addEventListener(
    "pointerleave",
    () => {
      state.hover = null;
      store.schedule();
    },
    { signal },
  );
  canvas.addEventListener(
    "keydown",
    (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || !store.header) return;
      event.preventDefault();
      event.stopPropagation();
      const here = cursor.get("frame");
      const range = cursor.get("range");
      const anchor = range?.[0] === here ? range[1] : range?.[1] === here ? range[0] : here;
      const next = clamp(here + by, 0, store.header.n_frames - 1);
      cursor.set("range", next === anchor ? null : [Math.min(anchor, next), Math.max(anchor, next)], { now: false });
      cursor.seek(next);
    },
    { signal },
  );

  // A lane of A or B over the clip: of the selected joint, or of all joints.
  function curveOf(lane, which) {
    const all = lane.values[which];
    if (!all || !lane.joints) return all;
    const { n_frames: frames, joints } = store.header;
    const size = joints.length;
    if (state.scope === "joint") return Float32Array.from({ length: frames }, (_, t) => all[t * size + store.joint()]);
    return Float32Array.from({ length: frames }, (_, t) => {
      const known = all.subarray(t * size, (t + 1) * size).filter(Number.isFinite);
      if (!known.length) return NaN;
      if (state.scope === "mean") return mean(known, 0, known.length);
      return known.reduce((a, b) => (a > b === lane.low_is_bad ? b : a));
    });
  }

  function describe(lane) {
    const curves = lane.values.map((_, i) => curveOf(lane, i));
    let [low, high] = [0, lane.limit ?? 0];
    for (const curve of curves.filter(Boolean))
      for (const value of curve) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    if (["confidence", "score"].includes(lane.key)) high = Math.max(1, high);
    const told = (t) => curves.map((c, i) => (curves.length > 1 ? `${"AB"[i]} ` : "") + figure(c ? c[t] : NaN));
    return { ...lane, curves, low, high: high > low ? high : low + 1, told };
  }

  function drawStill(width, height, colours) {
    const { picture, context } = offscreen(width, height);
    const side = store.header.sides[store.joint()];
    const first = state.scope === "joint" ? colours[side] : colours.ink;
    for (const moment of state.rows) drawMoment(context, moment, width, colours);
    lanes.forEach((lane, i) => {
      const top = STRIP_PX + i * (LANE_PX + LANE_GAP_PX);
      const toY = (v) => top + LANE_PX * (1 - (v - lane.low) / (lane.high - lane.low));
      drawLane(context, top, width, colours);
      if (lane.limit !== null) {
        Object.assign(context, { strokeStyle: colours.muted, lineWidth: 1 });
        context.setLineDash([1, 3]);
        stroke(context, [EDGE_PX, toY(lane.limit)], [width - EDGE_PX, toY(lane.limit)]);
        context.setLineDash([]);
      }
      lane.curves.forEach((curve, which) => {
        if (!curve) return;
        const own = lane.joints ? first : colours.ink;
        const strokeStyle = which ? (own === colours.ink ? colours.accent : colours.ink) : own;
        Object.assign(context, { strokeStyle, lineWidth: which ? 1.25 : 1.75 });
        context.setLineDash(DASHES[which]);
        drawCurve(context, curve, toX, toY, width);
        context.setLineDash([]);
      });
      const words = figure(lane.high).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
      drawTop(context, words, top, colours);
    });
    drawSeconds(context, store.header, toX, width, height, colours);
    return picture;
  }

  // A moment in the strip: from its first to its last frame; filled where it is A's, hollow where it is B's.
  function drawMoment(context, moment, width, colours) {
    const x = toX(moment.first, width) - 1.5;
    const wide = toX(moment.last, width) + 1.5 - x;
    Object.assign(context, { fillStyle: colours.ink, strokeStyle: colours.ink, lineWidth: 1 });
    context.globalAlpha = 0.55;
    if (moment.which) context.strokeRect(x + 0.5, 3.5, wide - 1, 6);
    else context.fillRect(x, 3, wide, 7);
    context.globalAlpha = 1;
  }

  function showTooltip(width) {
    tooltip.hidden = state.hover === null || state.drag?.moved;
    if (tooltip.hidden) return;
    const t = state.hover;
    const here = state.rows.filter((m) => m.first <= t && t <= m.last);
    tooltip.replaceChildren(
      h("b", {}, `frame ${t} · ${store.header.times[t].toFixed(3)} s`),
      ...lanes.map((lane) => h("div", {}, `${lane.label} ${lane.told(t).join(", ")}`)),
      ...here.slice(0, 3).map((m) => h("div", {}, h("b", {}, m.reason), m.joint ? ` · ${readable(m.joint)}` : "")),
      ...(here.length > 3 ? [h("div", {}, `and ${here.length - 3} more`)] : []),
    );
    placeTooltip(tooltip, toX(t, width), width);
  }

  return {
    header({ generation }) {
      state.data = null; // of the trace before
      stale.hidden = false;
      ask({ type: "diagnose", generation });
    },
    paint(record) {
      const { data } = state;
      if (data?.generation !== store.header.generation) return;
      fillList();
      wantFigures();
      const shown = data.lanes.filter((lane) => state.shown.has(lane.key));
      const [width, height] = fit();
      const wanted = STRIP_PX + shown.length * (LANE_PX + LANE_GAP_PX) + AXIS_PX;
      if (canvas.style.height !== `${wanted}px`) canvas.style.height = `${wanted}px`; // the observer paints again
      if (!width) return;
      const colours = palette(root);
      const keys = shown.map((lane) => lane.key);
      const key = [width, height, store.joint(), state.scope, keys, list.dataset.key, colours.ink, colours.back].join();
      if (key !== still.key) {
        lanes = shown.map(describe);
        for (const lane of lanes) lane.element = h("div", {});
        labels.replaceChildren(...lanes.map((l) => h("div", { title: l.help }, l.label, h("small", {}, l.unit))));
        values.replaceChildren(...lanes.map((l) => l.element));
        still = { key, picture: drawStill(width, height, colours) };
      }
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, width, height);
      drawRange(context, cursor.get("range"), toX, width, height - AXIS_PX, colours);
      context.drawImage(still.picture, 0, 0, width, height);
      if (state.hover !== null) {
        Object.assign(context, { strokeStyle: colours.muted, lineWidth: 1 });
        stroke(context, [toX(state.hover, width), 0], [toX(state.hover, width), height - AXIS_PX]);
      }
      Object.assign(context, { strokeStyle: colours.accent, lineWidth: 2 });
      stroke(context, [toX(record.frame, width), 0], [toX(record.frame, width), height - AXIS_PX]);
      for (const lane of lanes)
        lane.element.replaceChildren(...lane.told(record.frame).map((words) => h("div", {}, words)));
      const who = state.scope === "joint" ? readable(cursor.get("joint")) : SCOPES[state.scope];
      const now = lanes.map((lane) => `${lane.label} ${lane.told(record.frame).join(", ")}`).join("; ");
      const range = cursor.get("range");
      const aria = {
        valuemin: 0,
        valuemax: store.header.n_frames - 1,
        valuenow: record.frame,
        valuetext: `frame ${record.frame}${range ? `, range ${range[0]} to ${range[1]}` : ""}; ${who}: ${now}`,
      };
      for (const [name, value] of Object.entries(aria)) canvas.setAttribute(`aria-${name}`, value);
      [...body.rows].forEach((element, i) => {
        const moment = state.rows[i];
        element.classList.toggle("dkd-here", moment.first <= record.frame && record.frame <= moment.last);
        if (moment === state.chosen) element.setAttribute("aria-current", "true");
        else element.removeAttribute("aria-current");
      });
      showTooltip(width);
      root.dataset.frame = record.frame;
    },
  };
}

export default {
  render: async (context) => {
    await mount(context, "debugger", "Coherence debugger", (root, store, cursor, signal) =>
      buildDebugger(root, store, cursor, signal, context.model),
    );
  },
};
