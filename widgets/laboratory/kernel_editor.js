// The kernel editor: kernels that are matched in the shown frame, to be painted on; the joint's map follows at once.

import { diverging, palette } from "../core/colours.js";
import { h } from "../core/dom.js";
import { fitted, paintCells, } from "../core/drawing.js";
import { clamp, signed } from "../core/text.js";
import { editKernels, matchedMap, updateMap } from "./kernel_edits.js";

const CHANNELS = 7; // the strongest, that are listed
const BLUR = 0.7; // cells
const NOTHING = {
  none: "This model has no kernels: change its input instead.",
  initial: "In this frame nothing is matched: its maps come from the pose initializer. Go one frame on.",
  waiting: "waiting for the exact numbers of this frame …",
};

// send(steps) asks the kernel for edits, changed() asks for a new painting. Returns {element, header(), paint(record),
// preview(), version()}; preview() is the joint's map with the edits, or null where there are none; version() counts
// them.
export function buildKernelEditor(root, store, cursor, signal, send, changed) {
  const pending = new Map(); // frame → edits that were not applied yet, one after the other
  let now = null; // {detail, joint, kernels, map}: the shown frame's kernels with the edits, and the map that follows
  let shown = 0; // the channel that is large
  let chosen = new Set(); // further channels, for mute and solo
  let at = [0, 0]; // the cell of the keyboard
  let painting = null; // the pointer that paints
  let ranked = ""; // what the list is of
  let version = 0;

  // ---- the page

  const title = h("span", { class: "dkd-muted" });
  const note = h("p", { role: "status" });
  const grid = h("canvas", { class: "dkd-kernel-grid", tabindex: 0, role: "application" });
  const said = h("div", { class: "dkd-unseen", role: "status" });
  const brush = h("input", {
    type: "range",
    class: "dkd-brush",
    step: "any",
    "aria-label": "Value of the brush",
    title: "What the pointer paints; with Shift it paints 0",
    oninput: () => sayBrush(),
  });
  const brushValue = h("span");
  const other = h("input", {
    type: "number",
    min: 0,
    "aria-label": "Channel",
    title: "Any channel",
    onchange: () => show(clamp(Number(other.value) || 0, 0, store.header.channels - 1)),
  });
  const list = h("div", { class: "dkd-kernel-list", role: "group", "aria-label": "Channels that contribute most" });
  const atOnce = h("input", { type: "checkbox", onchange: () => atOnce.checked && apply() });
  const button = (text, label, onclick) => h("button", { class: "dkd-button", title: label, onclick }, text);
  const applyButton = button("Apply", "Let Python make the run that follows", () => apply());
  const resetButton = button("reset", "Take the edits of this frame’s kernels back", () => reset());
  const tools = h(
    "div",
    { class: "dkd-kernel-tools", role: "group", "aria-label": "Edits" },
    button("zero", "Make the shown kernel 0", () => edit({ operation: "zero", channels: [shown] })),
    button("blur", `Blur the shown kernel by ${BLUR} cells`, () =>
      edit({ operation: "blur", channels: [shown], amount: BLUR }),
    ),
    button("rotate 90°", "Turn the shown kernel counter-clockwise", () =>
      edit({ operation: "rotate", channels: [shown], amount: 90 }),
    ),
    button("mute", "Make the kernels of the ticked channels 0", () => edit({ operation: "zero", channels: several() })),
    button("solo", "Make the kernels of all other channels 0", () => edit({ operation: "solo", channels: several() })),
    resetButton,
  );
  const body = h(
    "div",
    { class: "dkd-kernel-body" },
    list,
    h(
      "div",
      { class: "dkd-kernel-large" },
      grid,
      h("label", { class: "dkd-kernel-brush" }, "brush", brush, brushValue),
    ),
  );
  const below = h(
    "div",
    { class: "dkd-row" },
    tools,
    h("span", { class: "dkd-space" }),
    h(
      "label",
      { class: "dkd-check", title: "Apply when the pointer is lifted, and after each button" },
      atOnce,
      "at once",
    ),
    applyButton,
  );
  const element = h(
    "div",
    { class: "dkd-panel dkd-kernel-editor" },
    h("header", {}, h("h3", {}, "Kernel editor"), title, h("label", { class: "dkd-check" }, "channel", other)),
    note,
    body,
    below,
    said,
  );
  const fit = fitted(grid, signal, changed);

  const digits = (limit) => clamp(1 - Math.floor(Math.log10(limit)), 0, 6); // two that count, of the largest value
  const sayBrush = () => (brushValue.textContent = signed(Number(brush.value), digits(Number(brush.max))));

  // ---- edits

  const several = () => [...new Set([shown, ...chosen])].sort((a, b) => a - b);
  const frame = () => store.shown?.frame;
  const edits = () => pending.get(frame()) ?? [];
  const kernelOf = (kernels, c) => kernels.subarray(c * store.header.kernel ** 2, (c + 1) * store.header.kernel ** 2);

  // The shown frame's kernels with its edits, made anew where frame, joint or run are others.
  function refresh() {
    const { detail, header } = store;
    if (!detail || detail.frame !== frame() || header.initial.has(frame())) return (now = null);
    const joint = store.joint();
    if (now?.detail === detail && now.joint === joint && now.header === header) return;
    const kernels = edits().reduce((all, one) => editKernels(all, header.kernel, one), detail.kernels);
    now = { detail, joint, header, kernels, map: matchedMap(header, detail, kernels, joint) };
    ranked = "";
  }

  function change(kernels) {
    updateMap(now.map, store.header, now.detail, now.kernels, kernels, now.joint);
    now.kernels = kernels;
    version += 1;
    changed();
  }

  function edit(one, lifted = true) {
    if (!now) return;
    pending.set(frame(), [...edits(), one]);
    change(editKernels(now.kernels, store.header.kernel, one));
    if (lifted && atOnce.checked) apply();
  }

  // A cell of the shown kernel gets a value. What was painted on one kernel is one edit, however many cells it has.
  function paintCell([x, y], value, lifted) {
    if (!now) return;
    const { kernel: side } = store.header;
    const values = Array.from(kernelOf(now.kernels, shown));
    if (values[y * side + x] !== Math.fround(value)) {
      values[y * side + x] = Math.fround(value);
      const last = edits().at(-1);
      if (last?.operation === "paint" && last.channels[0] === shown) pending.set(frame(), edits().slice(0, -1));
      edit({ operation: "paint", channels: [shown], values }, false);
    }
    if (lifted && atOnce.checked) apply();
  }

  function reset() {
    if (!now) return;
    pending.delete(frame());
    change(now.detail.kernels.slice());
  }

  function apply() {
    const side = store.header.kernel;
    const steps = edits().map(({ operation, channels, amount, values }) => ({
      name: "edit_kernel",
      arguments: {
        frame: frame() - 1,
        operation,
        channels,
        ...(amount && { amount }),
        ...(values && { values: Array.from({ length: side }, (_, y) => values.slice(y * side, (y + 1) * side)) }),
      },
    }));
    if (steps.length) send(steps);
  }

  // ---- pointer and keys

  const cellAt = (event) => {
    const { left, top, width, height } = grid.getBoundingClientRect();
    const side = store.header.kernel;
    const place = (position, length) => clamp(Math.floor((position / length) * side), 0, side - 1);
    return [place(event.clientX - left, width), place(event.clientY - top, height)];
  };
  const stroke = (event) => {
    at = cellAt(event);
    paintCell(at, event.shiftKey ? 0 : Number(brush.value), false);
  };
  grid.addEventListener(
    "pointerdown",
    (event) => {
      if (!now || event.button) return;
      painting = event.pointerId;
      grid.setPointerCapture?.(event.pointerId);
      grid.focus({ preventScroll: true });
      event.stopPropagation();
      stroke(event);
    },
    { signal },
  );
  grid.addEventListener("pointermove", (event) => event.pointerId === painting && stroke(event), { signal });
  for (const end of ["pointerup", "pointercancel"])
    grid.addEventListener(
      end,
      () => {
        if (painting === null) return;
        painting = null;
        if (atOnce.checked) apply();
      },
      { signal },
    );
  grid.addEventListener(
    "keydown",
    (event) => {
      if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
      const { kernel: side } = store.header;
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const value = kernelOf(now.kernels, shown)[at[1] * side + at[0]];
      const step = Number(brush.max) / 20;
      if (moves[event.key]) at = at.map((v, k) => clamp(v + moves[event.key][k], 0, side - 1));
      else if (event.key === "+" || event.key === "=") paintCell(at, value + step, true);
      else if (event.key === "-") paintCell(at, value - step, true);
      else if (event.key === "0") paintCell(at, 0, true);
      else if (event.key === "Enter" || event.key === " ") paintCell(at, Number(brush.value), true);
      else return;
      event.preventDefault();
      event.stopPropagation();
      const after = now && kernelOf(now.kernels, shown)[at[1] * side + at[0]];
      if (now) said.textContent = `row ${at[1]}, column ${at[0]}: ${signed(after)}`;
      changed();
    },
    { signal },
  );
  grid.addEventListener("focus", changed, { signal });
  grid.addEventListener("blur", changed, { signal });

  // ---- channels

  function show(channel) {
    shown = channel;
    changed();
  }

  // The channels that contribute most at the joint's peak, as the Kernels view ranks them; painting reorders nothing.
  function rank(record) {
    const joint = now.joint;
    const key = [record.frame, joint, store.header.generation].join();
    if (ranked === key) return;
    const [x, y] = [record.peaks[2 * joint], record.peaks[2 * joint + 1]];
    const parts = store.explain(joint, x, y)?.parts.slice(0, CHANNELS);
    if (!parts) return;
    ranked = key;
    if (!edits().length) [shown, chosen] = [parts[0].channel, new Set()];
    const strongest = Math.max(...now.detail.kernels.map(Math.abs)) || 1;
    [brush.min, brush.max] = [-2 * strongest, 2 * strongest];
    brush.value = strongest;
    sayBrush();
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.channel : null;
    list.replaceChildren(...parts.map((part) => row(part)));
    if (focused) list.querySelector(`button[data-channel="${focused}"]`)?.focus({ preventScroll: true });
  }

  function row({ channel, patch }) {
    const tick = h("input", {
      type: "checkbox",
      "aria-label": `channel ${channel} too, for mute and solo`,
      title: "For mute and solo",
      onchange: () => {
        tick.checked ? chosen.add(channel) : chosen.delete(channel);
        changed();
      },
    });
    const picture = h("canvas", { class: "dkd-cells", "aria-hidden": "true" });
    const value = h("b");
    const name = h(
      "button",
      { class: "dkd-kernel-channel", "data-channel": channel, onclick: () => show(channel) },
      picture,
      h("span", {}, String(channel)),
      value,
    );
    const element = h("div", { class: "dkd-kernel-row" }, tick, name);
    element.update = (limit) => {
      const { kernel: side, readout, channels } = store.header;
      const kernel = kernelOf(now.kernels, channel);
      const weight = readout[now.joint * channels + channel];
      const contribution = patch.reduce((sum, p, i) => sum + p * kernel[i] * weight, 0);
      paintCells(picture, side, side, kernel, (v) => diverging(v / limit));
      value.textContent = signed(contribution);
      name.setAttribute("aria-pressed", channel === shown);
      name.setAttribute("aria-label", `channel ${channel}, adds ${signed(contribution)} at the peak`);
      tick.checked = chosen.has(channel) || channel === shown;
      tick.disabled = channel === shown;
    };
    return element;
  }

  // The shown kernel, large; the number in each cell says its sign without colour.
  function drawGrid(limit) {
    const [width, height] = fit();
    if (!width) return;
    const { kernel: side } = store.header;
    const kernel = kernelOf(now.kernels, shown);
    const before = kernelOf(now.detail.kernels, shown);
    const colours = palette(root);
    const context = grid.getContext("2d");
    const [cw, ch] = [width / side, height / side];
    context.clearRect(0, 0, width, height);
    Object.assign(context, { font: `${Math.min(11, cw / 3.2)}px ${colours.font}`, textAlign: "center" });
    context.textBaseline = "middle";
    kernel.forEach((value, i) => {
      const [x, y] = [(i % side) * cw, Math.floor(i / side) * ch];
      const [r, g, b] = diverging(value / limit);
      context.fillStyle = `rgb(${r},${g},${b})`;
      context.fillRect(x + 0.5, y + 0.5, cw - 1, ch - 1);
      context.fillStyle = 0.3 * r + 0.59 * g + 0.11 * b > 140 ? "#000" : "#fff";
      const text = value === 0 ? "0" : signed(value, digits(limit)).replace(/^([+−])0\./, "$1.");
      context.fillText(text, x + cw / 2, y + ch / 2);
      if (value === before[i]) return;
      context.fillRect(x + cw - 7, y + 3, 4, 4); // a small square: this cell was edited
    });
    if (document.activeElement !== grid) return;
    for (const [colour, line] of [
      [colours.back, 5],
      [colours.accent, 2.5],
    ]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: line });
      context.strokeRect(at[0] * cw + 2, at[1] * ch + 2, cw - 4, ch - 4);
    }
  }

  return {
    element,
    header(header, isOther) {
      if (isOther) pending.clear();
      at = [Math.floor(header.kernel / 2), Math.floor(header.kernel / 2)];
      other.max = header.channels - 1;
    },
    preview: () => (now && edits().length && now.detail.frame === frame() ? now.map : null),
    version: () => version,
    paint(record) {
      const { header } = store;
      refresh();
      if (now) rank(record);
      const why = !header.channels ? "none" : header.initial.has(record.frame) ? "initial" : "waiting";
      note.textContent = now ? "" : NOTHING[why];
      note.hidden = Boolean(now);
      body.hidden = below.hidden = !header.channels || header.initial.has(record.frame);
      body.classList.toggle("dkd-stale", !now);
      const count = edits().length;
      applyButton.disabled = resetButton.disabled = !count;
      title.textContent = body.hidden ? "" : `distilled from frame ${record.frame - 1}`;
      if (!now) return;
      const strongest = (c) => Math.max(...kernelOf(now.kernels, c).map(Math.abs));
      const limit = Math.max(strongest(shown), Number(brush.max) / 2) || 1;
      for (const element of list.children) element.update(limit);
      if (document.activeElement !== other) other.value = shown;
      drawGrid(limit);
      root.dataset.channel = shown;
      grid.setAttribute(
        "aria-label",
        `Kernel of channel ${shown}: arrow keys move, + and − change, 0 makes zero, Enter paints the brush’s value`,
      );
    },
  };
}
