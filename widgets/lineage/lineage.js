// The lineage of the kernels: frames against frames, the drift and its jumps, the path, and what a joint relies on.

import { diverging, palette, viridis } from "../core/colours.js";
import { h, icon } from "../core/dom.js";
import { fitted, paintCells, stroke } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { clamp, plain, readable, signed } from "../core/text.js";
import { unpack } from "../core/wire.js";

const GUTTER = 48; // CSS pixels at the left of matrix and drift, for the frames' numbers
const FOOT = 18; // and below them
const MARGIN = 26; // around the path
const NEAR = 24; // a click so near to a point of the path is on it
const REST = 150; // ms until the pictures of a cell that the keys passed are asked for
const GREY = [136, 136, 136]; // no value: a kernel without a direction
const WITHOUT = "This model has no kernels: it finds the joints in each frame on its own, and nothing is handed on.";

function buildLineage(root, store, cursor, signal, model) {
  let data = null; // the matrix that is shown, with path and drift
  let reliance = null;
  let chosen = null; // the frames {s, t} of the selected cell
  let hover = null; // the cell under the pointer, [row, column]
  let near = null; // the point of the path under the pointer
  let failed = {}; // what could not be computed
  let painted = ""; // what the matrix's pixels are of
  let rest = 0;
  const listen = (element, name, act) => element.addEventListener(name, act, { signal });

  // ---- the page

  const title = h("h3");
  const note = h("span", { class: "dkd-muted", role: "status" });
  const kernel = h("select", { "aria-label": "Kernel", onchange: () => choose("kernel", kernel.value) });
  const centred = h("input", { type: "checkbox", onchange: () => choose("centred", centred.checked) });
  const cells = h("canvas", { class: "dkd-lineage-cells", width: 1, height: 1, "aria-hidden": "true" });
  const marks = h("canvas", { class: "dkd-lineage-marks", tabindex: 0, role: "application" });
  const said = h("div", { class: "dkd-unseen", role: "status" });
  const reading = h("div", { class: "dkd-lineage-reading" });
  const scale = h("canvas", { class: "dkd-scalebar", "aria-hidden": "true" });
  const ends = [h("span"), h("span")];
  const drift = h("canvas", { class: "dkd-lineage-drift", role: "img" });
  const jumps = h("span", { class: "dkd-lineage-jumps" });
  const pictures = ["s", "t"].map((name) => {
    const [image, caption] = [h("img", { alt: "", hidden: true }), h("figcaption")];
    return { name, image, caption, element: h("figure", {}, image, caption) };
  });
  const path = h("canvas", { class: "dkd-lineage-path", role: "img" });
  const pathNote = h("div", { class: "dkd-muted" });
  const body = h(
    "div",
    { class: "dkd-lineage-body" },
    h(
      "div",
      {},
      h("div", { class: "dkd-lineage-plot" }, cells, marks),
      reading,
      h("div", { class: "dkd-legend dkd-lineage-legend" }, h("span", {}, ends[0], scale, ends[1])),
      h("div", { class: "dkd-where" }, "Drift", h("span", { class: "dkd-muted" }, " 1 − cos(Kₜ, Kₜ₋₁)")),
      drift,
      h("div", { class: "dkd-lineage-foot" }, h("span", { class: "dkd-worst-mark" }, icon("down")), jumps),
    ),
    h(
      "div",
      {},
      h("div", { class: "dkd-where" }, "The two frames"),
      h("div", { class: "dkd-lineage-pictures" }, ...pictures.map((p) => p.element)),
      h("div", { class: "dkd-where" }, "Path of the kernels"),
      path,
      pathNote,
    ),
  );
  const strip = buildStrip();
  const none = h("p", { hidden: true }, WITHOUT);
  root.append(
    h(
      "div",
      { class: "dkd-panel" },
      h(
        "header",
        {},
        title,
        note,
        h("label", { class: "dkd-check" }, "kernel", kernel),
        h("label", { class: "dkd-lineage-centred" }, centred, "without the clip's mean kernel"),
      ),
      none,
      body,
      strip.element,
      said,
    ),
  );
  const again = () => store.schedule();
  const [fitMarks, fitDrift, fitPath] = [marks, drift, path].map((canvas) => fitted(canvas, signal, again));

  // ---- to and from the kernel

  function ask(content) {
    try {
      model.send(content);
    } catch {
      store.say("The kernel does not answer. What is already here can still be seen.");
    }
  }

  function choose(name, value) {
    model.set(name, value);
    model.save_changes();
    store.schedule();
  }

  const wantedJoint = () => ({ whole: "", selected: cursor.get("joint") })[model.get("kernel")] ?? model.get("kernel");
  const reliesOn = () => wantedJoint() || cursor.get("joint");

  function receive(content, buffers) {
    const { header } = store;
    if (content.generation !== undefined && content.generation !== header?.generation) return;
    if (content.type === "matrix") receiveMatrix(content, buffers);
    if (content.type === "pictures") receivePictures(content, buffers);
    if (content.type === "reliance") {
      const [frames, shares] = [unpack(buffers[0], Int32Array), unpack(buffers[1], Float32Array)];
      reliance = { ...content, frames, shares };
    }
    if (content.type === "progress") strip.progress = content;
    if (content.type === "failed") failed[content.what] = true;
    else delete failed[content.type];
    store.schedule();
  }

  function receiveMatrix(content, buffers) {
    const [values, rows, columns, curve, scores, frames] = buffers;
    data = {
      ...content,
      values: unpack(values, Float32Array),
      rows: unpack(rows, Int32Array),
      columns: unpack(columns, Int32Array),
      drift: unpack(curve, Float32Array),
      scores: unpack(scores, Float32Array),
      frames: unpack(frames, Int32Array),
    };
    painted = "";
    hover = near = null;
    if (!chosen) select(middle(), false);
  }

  // At first: the cursor's frame against the one that is least like it.
  function middle() {
    const column = nearest(data.columns, cursor.get("frame"));
    const of = (row) => data.values[row * data.columns.length + column];
    const row = data.rows.reduce((best, _, i) => (of(i) < of(best) || Number.isNaN(of(best)) ? i : best), 0);
    return [row, column];
  }

  function receivePictures({ s, t }, buffers) {
    if (s !== chosen?.s || t !== chosen?.t) return; // of a cell that was left meanwhile
    pictures.forEach(({ image }, i) => {
      URL.revokeObjectURL(image.src);
      image.src = URL.createObjectURL(new Blob([buffers[i]], { type: "image/jpeg" }));
      image.hidden = false;
    });
    root.dataset.pictures = `${s},${t}`;
  }

  // ---- selecting

  const valueAt = ([row, column]) => data.values[row * data.columns.length + column];
  const cellOf = ({ s, t }) => [nearest(data.rows, s), nearest(data.columns, t)];
  const rowName = () => (data.other ? `${data.other}, frame` : "frame");

  function describe(cell) {
    const value = valueAt(cell);
    const cosine = Number.isFinite(value) ? plain(value, 4) : "no direction";
    return `s: ${rowName()} ${data.rows[cell[0]]} · t: frame ${data.columns[cell[1]]} · cosine ${cosine}`;
  }

  function select([row, column], jump) {
    chosen = {
      s: data.rows[clamp(row, 0, data.rows.length - 1)],
      t: data.columns[clamp(column, 0, data.columns.length - 1)],
    };
    clearTimeout(rest);
    const { s, t } = chosen;
    if (jump) cursor.seek(t);
    rest = setTimeout(() => ask({ type: "pictures", s, t }), jump ? 0 : REST);
    store.schedule();
  }

  const inner = (canvas) => canvas.clientWidth - GUTTER;
  function cellAt(event) {
    const box = marks.getBoundingClientRect();
    const [rows, columns] = [data.rows.length, data.columns.length];
    const column = Math.floor(((event.clientX - box.left - GUTTER) / inner(marks)) * columns);
    const row = Math.floor(((event.clientY - box.top) / (box.height - FOOT)) * rows);
    return [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
  }

  listen(marks, "pointerdown", (event) => {
    event.stopPropagation(); // the focus is to stay here, for the keys
    if (!data || event.button) return;
    marks.focus({ preventScroll: true });
    select(cellAt(event), true);
  });
  listen(marks, "pointermove", (event) => {
    hover = data && cellAt(event);
    store.schedule();
  });
  listen(marks, "pointerleave", () => {
    hover = null;
    store.schedule();
  });
  listen(marks, "keydown", (event) => {
    const by = event.shiftKey ? 10 : 1;
    const steps = { ArrowUp: [-by, 0], ArrowDown: [by, 0], ArrowLeft: [0, -by], ArrowRight: [0, by] };
    if (!data || !chosen || !(event.key in steps || event.key === "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column] = cellOf(chosen);
    const [down, right] = steps[event.key] ?? [0, 0];
    select([row + down, column + right], event.key === "Enter");
    said.textContent = describe(cellOf(chosen));
  });

  const frameAt = (event) => {
    const { left } = drift.getBoundingClientRect();
    const share = (event.clientX - left - GUTTER) / inner(drift);
    return clamp(Math.floor(share * store.header.n_frames), 0, store.header.n_frames - 1);
  };
  const drag = (event) => data && event.buttons & 1 && cursor.seek(frameAt(event), event.timeStamp);
  listen(drift, "pointerdown", (event) => {
    drift.setPointerCapture(event.pointerId);
    drag(event);
  });
  listen(drift, "pointermove", drag);

  function pointAt(event) {
    const place = data && pathPlace(path.clientWidth, path.clientHeight);
    const box = path.getBoundingClientRect();
    let best = null;
    for (let i = 0, least = NEAR; i < (place ? data.frames.length : 0); i++) {
      const [x, y] = place(i);
      const distance = Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y);
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }
  listen(path, "pointermove", (event) => {
    near = pointAt(event);
    store.schedule();
  });
  listen(path, "pointerleave", () => {
    near = null;
    store.schedule();
  });
  listen(path, "click", (event) => {
    const i = pointAt(event);
    if (i !== null) cursor.seek(data.frames[i], event.timeStamp);
  });

  // ---- painting

  function paintMatrix() {
    const [low, high] = data.range;
    const colour = data.centred ? diverging : (value) => viridis((value - low) / (high - low));
    const [rows, columns] = [data.rows.length, data.columns.length];
    paintCells(cells, columns, rows, data.values, (value) => (Number.isNaN(value) ? GREY : colour(value)));
    cells.parentElement.style.setProperty("--lineage-aspect", clamp(columns / rows, 0.6, 2.5));
    const steps = Float32Array.from({ length: 65 }, (_, i) => low + ((high - low) * i) / 64);
    paintCells(scale, 65, 1, steps, colour);
    const digits = clamp(Math.ceil(-Math.log10(high - low)) + 2, 2, 7);
    ends.forEach((end, i) => (end.textContent = data.centred ? signed(data.range[i], 0) : plain(data.range[i], digits)));
    ends[1].textContent += " cosine" + (data.values.some(Number.isNaN) ? " · grey: no direction" : "");
    const buttons = data.jumps.map((frame) => {
      const label = `Go to frame ${frame}, drift ${data.drift[frame].toPrecision(2)}`;
      return h(
        "button",
        { class: "dkd-text", title: label, "aria-label": label, onclick: () => cursor.seek(frame) },
        `frame ${frame} · ${data.drift[frame].toPrecision(2)}`,
      );
    });
    jumps.replaceChildren(buttons.length ? "largest jumps" : "no jumps", ...buttons);
    const shares = data.shares.map((share) => `${(100 * share).toFixed(0)} %`);
    pathNote.textContent = data.shares[0]
      ? `components 1 and 2, with ${shares.join(" and ")} of the variance; a point a frame, purple first, yellow last`
      : "the kernels never change";
  }

  function drawMarks(frame, colours) {
    const [width, height] = fitMarks();
    if (!width) return;
    const context = marks.getContext("2d");
    const [right, bottom] = [width - GUTTER, height - FOOT];
    const [rows, columns] = [data.rows.length, data.columns.length];
    cells.classList.toggle("dkd-lineage-smooth", columns > right);
    const x = (column) => GUTTER + ((column + 0.5) / columns) * right;
    const y = (row) => ((row + 0.5) / rows) * bottom;
    context.clearRect(0, 0, width, height);
    Object.assign(context, { fillStyle: colours.muted, font: `11px ${colours.font}`, textBaseline: "top" });
    context.textAlign = "center";
    for (const i of ticks(data.columns, right)) {
      const text = i ? String(data.columns[i]) : `t ${data.columns[i]}`;
      context.fillText(text, clamp(x(i), GUTTER + 8, width - 10), bottom + 4);
    }
    Object.assign(context, { textAlign: "right", textBaseline: "middle" });
    for (const i of ticks(data.rows, bottom))
      context.fillText(i ? String(data.rows[i]) : `s ${data.rows[i]}`, GUTTER - 5, clamp(y(i), 7, bottom - 5));
    const here = nearest(data.columns, frame);
    crossed(context, [x(here), 0], [x(here), bottom], colours);
    if (!data.other) crossed(context, [GUTTER, y(here)], [width, y(here)], colours);
    const box = ([row, column], size) => {
      const [w, tall] = [Math.max(size, right / columns), Math.max(size, bottom / rows)];
      for (const [grow, colour, line] of [
        [1, "#000", 3.5],
        [1, "#fff", 1.5],
      ]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: line });
        context.strokeRect(x(column) - w / 2 - grow, y(row) - tall / 2 - grow, w + 2 * grow, tall + 2 * grow);
      }
    };
    if (hover) box(hover, 5);
    if (chosen) box(cellOf(chosen), 11);
    reading.textContent = hover ? describe(hover) : chosen ? describe(cellOf(chosen)) : "";
    const keys = "Arrow keys move the selected cell, Enter goes there.";
    marks.setAttribute("aria-label", `Similarity of the kernels of ${rows} × ${columns} frames. ${keys}`);
  }

  // The cursor's line over the data: light and dark, so that it shows on any colour.
  function crossed(context, from, to, colours) {
    for (const [colour, width] of [
      [colours.back, 3],
      [colours.accent, 1.25],
    ]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      stroke(context, from, to);
    }
  }

  function drawDrift(frame, colours) {
    const [width, height] = fitDrift();
    if (!width) return;
    const context = drift.getContext("2d");
    const count = store.header.n_frames;
    const top = data.drift.reduce((a, b) => (b > a ? b : a), 1e-9);
    const x = (t) => GUTTER + ((t + 0.5) / count) * (width - GUTTER);
    const y = (value) => 10 + (height - 12) * (1 - clamp(value / top, 0, 1));
    context.clearRect(0, 0, width, height);
    Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
    context.strokeRect(GUTTER + 0.5, 9.5, width - GUTTER - 1, height - 11);
    Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.5, lineJoin: "round" });
    context.beginPath();
    let pen = false;
    for (let t = 1; t < count; t++) {
      if (Number.isFinite(data.drift[t])) context[pen ? "lineTo" : "moveTo"](x(t), y(data.drift[t]));
      pen = Number.isFinite(data.drift[t]);
    }
    context.stroke();
    context.fillStyle = colours.ink;
    for (const t of data.jumps) {
      context.beginPath();
      context.moveTo(x(t) - 4, 0);
      context.lineTo(x(t) + 4, 0);
      context.lineTo(x(t), 7);
      context.fill();
    }
    Object.assign(context, { fillStyle: colours.muted, font: `11px ${colours.font}`, textAlign: "right" });
    context.textBaseline = "top";
    context.fillText(top < 1e-3 ? top.toExponential(1) : top.toPrecision(2), GUTTER - 5, 8);
    context.textBaseline = "bottom";
    context.fillText("0", GUTTER - 5, height);
    crossed(context, [x(frame), 9], [x(frame), height - 1], colours);
    const value = frame ? data.drift[frame].toPrecision(2) : "none";
    drift.setAttribute("aria-label", `Drift at frame ${frame}: ${value}; ${jumps.textContent}`);
  }

  // Where the path's points are, both axes on one scale; null where there is no variance.
  function pathPlace(width, height) {
    const { scores } = data;
    const axis = (k) => Array.from(scores.filter((value, i) => i % 2 === k && Number.isFinite(value)));
    const [xs, ys] = [axis(0), axis(1)];
    const spans = [xs, ys].map((values) => [Math.min(...values), Math.max(...values)]);
    const size = Math.max(
      (spans[0][1] - spans[0][0]) / (width - 2 * MARGIN),
      (spans[1][1] - spans[1][0]) / (height - 2 * MARGIN),
    );
    if (!(size > 0)) return null;
    const middle = spans.map(([low, high]) => (low + high) / 2);
    return (i) => [
      width / 2 + (scores[2 * i] - middle[0]) / size,
      height / 2 - (scores[2 * i + 1] - middle[1]) / size,
    ];
  }

  function drawPath(frame, colours) {
    const [width, height] = fitPath();
    if (!width) return;
    const context = path.getContext("2d");
    context.clearRect(0, 0, width, height);
    const place = pathPlace(width, height);
    if (!place) return;
    const count = data.frames.length;
    const colour = (i) => `rgb(${viridis(count > 1 ? i / (count - 1) : 0).join()})`;
    context.lineWidth = 1.5;
    for (let i = 1; i < count; i++) {
      context.strokeStyle = colour(i);
      stroke(context, place(i - 1), place(i));
    }
    const dot = (i, radius) => {
      context.beginPath();
      context.arc(...place(i), radius, 0, 2 * Math.PI);
    };
    Object.assign(context, { strokeStyle: colours.muted, lineWidth: 0.75 });
    for (let i = 0; i < count; i++) {
      context.fillStyle = colour(i);
      dot(i, 3.5);
      context.fill();
      context.stroke();
    }
    const here = nearest(data.frames, frame);
    for (const [tint, line] of [
      [colours.back, 5],
      [colours.accent, 2.5],
    ]) {
      Object.assign(context, { strokeStyle: tint, lineWidth: line });
      dot(here, 8);
      context.stroke();
    }
    const named = new Map([
      [0, "first"],
      [count - 1, "last"],
      [here, `frame ${data.frames[here]}`],
    ]);
    if (near !== null && near < count) named.set(near, `frame ${data.frames[near]}`);
    Object.assign(context, { fillStyle: colours.ink, strokeStyle: colours.back, lineWidth: 4, textBaseline: "middle" });
    context.font = `11px ${colours.font}`;
    for (const [i, text] of named) {
      const [x, y] = place(i);
      const onLeft = x > width - 70;
      context.textAlign = onLeft ? "right" : "left";
      context.strokeText(text, x + (onLeft ? -12 : 12), y);
      context.fillText(text, x + (onLeft ? -12 : 12), y);
    }
    [root.dataset.ring, root.dataset.ringAt] = [data.frames[here], place(here).map(Math.round).join()];
    path.setAttribute("aria-label", `Path of the kernels; frame ${data.frames[here]} is marked. ${pathNote.textContent}`);
  }

  function sayState() {
    const joint = wantedJoint();
    const busy = data?.joint !== joint || data.centred !== model.get("centred");
    title.textContent = `Kernel lineage · ${joint ? `kernel of the ${readable(joint)}` : "whole kernel"}`;
    kernel.value = model.get("kernel");
    centred.checked = model.get("centred");
    body.classList.toggle("dkd-stale", busy);
    const sampled = data && data.columns.length < store.header.n_frames;
    const sample = sampled ? `${data.columns.length} of ${store.header.n_frames} frames` : "";
    note.textContent = failed.matrix ? "could not be computed" : busy ? "computing …" : sample;
    root.dataset.shown = busy ? "" : `${joint || "whole"}${data.centred ? " centred" : ""}`;
  }

  // ---- what a joint relies on

  function buildStrip() {
    const heading = h("h3");
    const toggle = h("input", { type: "checkbox", onchange: () => choose("reliance", toggle.checked) });
    const bar = h("progress", { class: "dkd-progress", "aria-label": "Frames computed", value: 0, hidden: true });
    const button = (text, label, type) =>
      h("button", { class: "dkd-button", title: label, onclick: () => ask({ type }), hidden: true }, text);
    const stop = button("Stop", "Stop computing and show what is there", "stop");
    const anew = button("Complete", "Compute all frames of the sample", "again");
    const text = h("div", { class: "dkd-muted dkd-lineage-reading" });
    const labels = h("div", { class: "dkd-lineage-channels" });
    const canvas = h("canvas", { width: 1, height: 1, role: "img" });
    const here = h("span", { class: "dkd-lineage-here" });
    const plot = h("div", { class: "dkd-lineage-strip" }, canvas, here);
    const grid = h("div", { class: "dkd-lineage-reliance" }, labels, plot);
    const element = h(
      "div",
      { class: "dkd-lineage-lower" },
      h("header", {}, heading, h("label", { class: "dkd-check" }, toggle, "compute"), stop, anew),
      bar,
      grid,
      text,
    );
    const part = { element, progress: null };
    let shown = null;
    let at = null; // [row, column] under the pointer

    const where = (event) => {
      const box = canvas.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * shown.frames.length);
      const row = Math.floor(((event.clientY - box.top) / box.height) * rowCount());
      return [clamp(row, 0, rowCount() - 1), clamp(column, 0, shown.frames.length - 1)];
    };
    const rowCount = () => shown.shares.length / shown.frames.length;
    listen(canvas, "pointermove", (event) => {
      at = where(event);
      store.schedule();
    });
    listen(canvas, "pointerleave", () => {
      at = null;
      store.schedule();
    });
    listen(canvas, "click", (event) => cursor.seek(shown.frames[where(event)[1]], event.timeStamp));

    const rowName = (row) => (row < shown.channels.length ? `channel ${shown.channels[row]}` : "all others");
    const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "nothing");

    function paintRows() {
      const rows = rowCount();
      const ofChannels = shown.shares.subarray(0, shown.channels.length * shown.frames.length);
      const top = ofChannels.reduce((a, b) => (b > a ? b : a), 1e-6);
      const scaled = shown.shares.map((share, i) => (i < ofChannels.length ? share / top : share));
      paintCells(canvas, shown.frames.length, rows, scaled, (v) => (Number.isNaN(v) ? GREY : viridis(v)));
      labels.replaceChildren(...Array.from({ length: rows }, (_, row) => h("span", {}, rowName(row))));
      canvas.style.height = `${16 * rows}px`;
      const others = rows > shown.channels.length ? "; of all others, 0 to 100 %" : "";
      part.scale =
        `Share of |contribution| at the peak: dark 0 to light ${percent(top)}${others} · ` +
        `${shown.frames.length} frames, from ${shown.frames[0]} to ${shown.frames.at(-1)}`;
      canvas.setAttribute("aria-label", `Strongest: ${rowName(0)}. ${part.scale}`);
    }

    part.paint = (frame) => {
      const joint = reliesOn();
      const wanted = model.get("reliance");
      const fits = wanted && reliance?.joint === joint;
      const busy = wanted && !fits && !failed.reliance;
      heading.textContent = `Which channels the ${readable(joint)} relies on`;
      toggle.checked = wanted;
      stop.hidden = bar.hidden = !busy;
      anew.hidden = !fits || reliance.complete;
      const { progress } = part;
      if (busy && progress?.joint === joint) [bar.max, bar.value] = [progress.of, progress.done];
      else bar.removeAttribute("value");
      grid.hidden = !fits || !reliance.frames.length;
      element.dataset.shown = fits ? joint : "";
      if (grid.hidden) {
        const idle = "The frames are encoded again for this, about 30 ms each, in the background.";
        const states = [
          [failed.reliance, "could not be computed"],
          [busy, "computing …"],
          [wanted, "nothing was matched in these frames"],
          [true, idle],
        ];
        text.textContent = states.find(([holds]) => holds)[1];
        return;
      }
      if (shown !== reliance) {
        shown = reliance;
        at = null;
        paintRows();
      }
      const column = nearest(shown.frames, frame);
      here.style.left = `${(100 * (column + 0.5)) / shown.frames.length}%`;
      text.textContent = at
        ? `${rowName(at[0])} · frame ${shown.frames[at[1]]} · ${percent(shown.shares[at[0] * shown.frames.length + at[1]])}`
        : part.scale;
    };
    return part;
  }

  const onTrait = () => {
    failed = {};
    if (!model.get("reliance") || reliance?.complete === false) reliance = null;
    again();
  };
  const heard = { "msg:custom": receive, "change:kernel": onTrait, "change:centred": onTrait };
  heard["change:reliance"] = onTrait;
  for (const [name, act] of Object.entries(heard)) model.on(name, act);
  signal.addEventListener("abort", () => {
    clearTimeout(rest);
    for (const [name, act] of Object.entries(heard)) model.off(name, act);
    for (const { image } of pictures) URL.revokeObjectURL(image.src);
  });

  return {
    header(header) {
      data = reliance = chosen = null;
      none.hidden = header.channels > 0;
      body.hidden = strip.element.hidden = !none.hidden;
      for (const label of [kernel, centred]) label.parentElement.hidden = !none.hidden;
      const joints = header.joints.map((name) => h("option", { value: name }, readable(name)));
      kernel.replaceChildren(
        h("option", { value: "whole" }, "whole kernel"),
        h("option", { value: "selected" }, "selected joint"),
        ...joints,
      );
      title.textContent = "Kernel lineage";
      if (header.channels) ask({ type: "hello" });
    },
    paint(record) {
      root.dataset.frame = record.frame;
      if (!store.header.channels) return;
      sayState();
      strip.paint(record.frame);
      if (!data) return;
      const colours = palette(root);
      if (painted !== colours.theme) {
        painted = colours.theme;
        paintMatrix();
      }
      drawMarks(record.frame, colours);
      drawDrift(record.frame, colours);
      drawPath(record.frame, colours);
      for (const { name, caption, image } of pictures) {
        const frame = chosen?.[name];
        caption.textContent = `${name} · ${name === "s" ? rowName() : "frame"} ${frame}`;
        image.alt = caption.textContent;
      }
    },
  };
}

// The index of the value nearest to one, in an ascending array.
function nearest(values, wanted) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Math.abs(values[i] - wanted) < Math.abs(values[best] - wanted)) best = i;
  return best;
}

// Indices of frames to write at an axis of so many pixels: at round numbers, the first always.
function ticks(frames, length) {
  const span = frames.at(-1) - frames[0];
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((s) => (length / Math.max(span, 1)) * s > 42);
  const at = [];
  for (let t = 0; t <= frames.at(-1); t += step ?? 10000) at.push(nearest(frames, t));
  return at;
}

export default {
  render: async (context) => {
    await mount(context, "lineage", "Kernel lineage", (...parts) => buildLineage(...parts, context.model));
  },
};
