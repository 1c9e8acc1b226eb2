// What all views share: DOM and drawing helpers, colours, keys, and the connection to the cursor and the feed.

// ---- small helpers

const mean = (values, from, count) => values.subarray(from, from + count).reduce((a, b) => a + b, 0) / count;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const people = (name) => name.replaceAll("_", " "); // left_wrist → left wrist
// left_shoulder → L sho: the abbreviations of the field's tables
const short = (name) =>
  people(name)
    .replace(/^(l)eft |^(r)ight /, (_, l, r) => (l ?? r).toUpperCase() + " ")
    .replace(/(sho|elb|wri|ank)[a-z]+$/, "$1");
// 0.4125 → +0.412, with a minus sign that is as wide as the plus
const signed = (value, digits = 3) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
const plain = (value, digits = 3) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

// A message's buffer as a typed array. It is copied: the buffer lies at any offset, and would keep the whole message.
function unpack(view, Type) {
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

// h("button", {class: "x", onclick: f, "aria-label": "…"}, child, …)
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  play: "M4 2.5v11L13.5 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  on: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  down: "M3 5h10l-5 7z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const iconButton = (name, label, onclick) =>
  h("button", { class: "dkd-icon", title: label, "aria-label": label, onclick }, icon(name));

// ---- colours

const VIRIDIS = Array.from({ length: 256 }, (_, i) =>
  [0, 2, 4].map((k) => parseInt(VIRIDIS_HEX.slice(6 * i + k, 6 * i + k + 2), 16)),
);
// Diverging about 0: purple below, green above (both apart from the blue and orange of left and right), by theme.
const DIVERGING = {
  light: [
    [118, 42, 131],
    [247, 247, 247],
    [27, 120, 55],
  ],
  dark: [
    [205, 150, 222],
    [36, 38, 43],
    [126, 214, 144],
  ],
};
const MAP_SHOWN = [0, 1]; // map values that viridis spans everywhere; below is drawn as 0, above as 1

const isDark = () => document.body.dataset.jpThemeLight === "false";
const viridis = (value) =>
  VIRIDIS[Math.round(clamp((value - MAP_SHOWN[0]) / (MAP_SHOWN[1] - MAP_SHOWN[0]), 0, 1) * 255)];
function diverging(value) {
  const [negative, zero, positive] = DIVERGING[isDark() ? "dark" : "light"];
  const share = clamp(Math.abs(value), 0, 1);
  const end = value < 0 ? negative : positive;
  return zero.map((z, k) => z + (end[k] - z) * share);
}

// The colours of the style sheet, for canvases.
function palette(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(`--dkd-${name}`).trim();
  return Object.fromEntries(
    ["ink", "muted", "line", "panel", "accent", "left", "right", "centre"].map((n) => [n, read(n)]),
  );
}

// ---- drawing

// Paint width × height values into a canvas of that many pixels; colour(value, index) → [r, g, b] or [r, g, b, a].
function paintCells(canvas, width, height, values, colour) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b, a = 255] = colour(values[i], i);
    image.data.set([r, g, b, a], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

// A joint's map out of a record, as real values.
function mapOf(header, record, joint) {
  const area = header.map[0] * header.map[1];
  const [low, high] = header.map_range;
  return Float32Array.from(
    record.maps.subarray(joint * area, (joint + 1) * area),
    (byte) => low + ((high - low) * byte) / 255,
  );
}

// Fit a canvas's pixels to its place on the screen. Returns its size in CSS pixels; drawing is in CSS pixels, too.
function fit(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, hh] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hh) [canvas.width, canvas.height] = [w, hh];
  canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  return [width, height];
}

// Joints in columns, left over right: first those on the midline, two to a column. null leaves a place free.
function columns(header) {
  const centre = header.joints.map((_, j) => j).filter((j) => header.sides[j] === "centre");
  const pairs = header.joints
    .map((name, j) => [j, header.joints.indexOf(name.replace("left_", "right_"))])
    .filter(([j]) => header.sides[j] === "left");
  const out = [];
  for (let i = 0; i < centre.length; i += 2) out.push([centre[i], centre[i + 1] ?? null]);
  return [...out, ...pairs];
}

// Small multiples: a button a joint, a canvas in each. Returns {element, tiles: [{joint, canvas, button, note}]}.
function jointGrid(header, cursor, what, legend) {
  const places = columns(header);
  const element = h("div", {
    class: "dkd-joints",
    role: "group",
    "aria-label": what,
    style: `--columns:${places.length}`,
  });
  const tiles = [];
  for (const joint of places.flat()) {
    if (joint === null) {
      element.append(h("div", { class: "dkd-tile-free" }, ...(legend ? [legend] : [])));
      legend = null;
      continue;
    }
    const name = header.joints[joint];
    const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
    const mark = h("span", { class: "dkd-mark", hidden: true });
    const frame = h("span", { class: "dkd-tile-frame" }, canvas, mark);
    const label = `${people(name)}: ${what}`;
    const button = h(
      "button",
      {
        class: `dkd-tile dkd-${header.sides[joint]}`,
        title: label,
        "aria-label": label,
        onclick: () => cursor.set("joint", name),
      },
      frame,
      h("span", {}, short(name)),
    );
    element.append(button);
    tiles.push({ joint, canvas, mark, button });
  }
  return { element, tiles };
}

function markSelected(tiles, joint) {
  for (const tile of tiles) tile.button.setAttribute("aria-pressed", tile.joint === joint);
}

// Put a mark on a cell (x, y may be fractions; the middle of cell 0 is 0) of a map that fills its parent.
function place(mark, x, y, [width, height]) {
  mark.hidden = false;
  mark.style.left = `${(100 * (x + 0.5)) / width}%`;
  mark.style.top = `${(100 * (y + 0.5)) / height}%`;
}

// ---- connection

// Make a view's root, connect it, and keep it painted. build(root, store, cursor, signal) returns the view:
// {header(h), paint(record, bitmap), status(text), needsDetail}. Sizes and theme changes paint again.
async function mount({ model, el, host, signal }, name, label, build) {
  const [cursorWidget, feed] = await Promise.all([
    host.getWidget(model.get("_cursor")),
    host.getWidget(model.get("_feed")),
  ]);
  const { cursor } = cursorWidget.exports;
  const { store } = feed.exports;
  const root = h("section", { class: `dkd dkd-${name}`, "aria-label": label });
  el.append(root);
  const view = build(root, store, cursor, signal);
  if (!el.closest(".dkd-workbench")) {
    const note = notes(root, model, signal);
    view.status = (text) => note.say(text);
    keys(root, store, cursor, signal);
  }
  store.attach(cursor);
  store.add(view, signal);
  const observer = new ResizeObserver(() => store.schedule());
  observer.observe(root);
  const theme = new MutationObserver(() => store.schedule());
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    theme.disconnect();
    root.remove();
  });
  root.dkd = { store, cursor }; // for tests and for a curious console
  return root;
}

// The lines under a view: what the feed says, an error of a Python callback, a dead kernel (by the style sheet).
function notes(root, model, signal) {
  const status = h("div", { class: "dkd-note", role: "status", hidden: true });
  const error = h("div", { class: "dkd-note dkd-error", role: "alert", hidden: true });
  const dead = h(
    "div",
    { class: "dkd-note dkd-dead" },
    "The kernel is gone. Frames that are already here can still be seen; run the cell again for a live view.",
  );
  root.append(status, error, dead);
  const show = (element, text) => {
    element.textContent = text;
    element.hidden = !text;
  };
  const onError = () => show(error, model.get("_error"));
  model.on("change:_error", onError);
  signal.addEventListener("abort", () => model.off("change:_error", onError));
  onError();
  return { say: (text) => show(status, text), element: status };
}

// ---- keys

// Held keys and buttons accelerate: the step after so many repeats, about 30 of them a second.
const acceleration = (repeats) => (repeats < 12 ? 1 : repeats < 30 ? 2 : repeats < 60 ? 4 : 8);

function actions(root, store, cursor) {
  const jump = (list, direction) => {
    const here = cursor.get("frame");
    const next = direction > 0 ? list.find((t) => t > here) : list.findLast((t) => t < here);
    if (next !== undefined) cursor.seek(next);
  };
  const cycle = (list, value, by) => list[(list.indexOf(value) + by + list.length) % list.length];
  return {
    "toggle-play": () => cursor.toggle(),
    step: (by, repeats = 0) => cursor.step(Number(by) * (Math.abs(by) < 5 ? acceleration(repeats) : 1)),
    first: () => cursor.seek(0),
    last: () => cursor.seek(cursor.get("n_frames") - 1),
    "go-to": () => root.querySelector(".dkd-goto")?.select(),
    slower: () => cursor.set("speed", SPEEDS.findLast((s) => s < cursor.get("speed")) ?? SPEEDS[0]),
    faster: () => cursor.set("speed", SPEEDS.find((s) => s > cursor.get("speed")) ?? SPEEDS.at(-1)),
    worst: (by) => store.header && jump(store.header.worst[store.joint()], Number(by)),
    joint: (by) => cursor.set("joint", cycle(cursor.get("joint_names"), cursor.get("joint"), Number(by))),
    layer: (name) => cursor.setLayer(name, !cursor.get("layers")[name]),
    pin: () => {
      const { x, y } = store.shown ? store.cell() : {};
      cursor.set("cell", cursor.get("cell") || x === undefined ? null : [x, y]);
    },
    clear: () => {
      cursor.set("cell", null);
      cursor.set("range", null);
    },
  };
}

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];

// Let the shortcut table act on root while it has the focus, and keep the keys from JupyterLab. `more` are further actions.
function keys(root, store, cursor, signal, more = {}) {
  const act = { ...actions(root, store, cursor), ...more };
  const table = new Map(SHORTCUTS.flatMap((s) => s.keys.map((key) => [key, s.action])));
  let repeats = 0;
  root.tabIndex = 0;
  root.dataset.lmSuppressShortcuts = "true";
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const typing = target.matches("input[type=number], input[type=text], select");
    if (typing && event.key === "Escape") root.focus({ preventScroll: true });
    if (typing) return event.stopPropagation();
    const native = target.matches("button, input, summary") && (event.key === " " || event.key === "Enter");
    const ownSlider = target.matches("input[type=range]:not(.dkd-slider)") && event.key.startsWith("Arrow");
    if (native || ownSlider || event.key === "Tab") return event.stopPropagation();
    const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
    const action = table.get(event.shiftKey ? `Shift+${key}` : key) ?? (event.shiftKey ? table.get(key) : undefined);
    const [name, argument] = action?.split(":") ?? [];
    if (!act[name]) return;
    repeats = event.repeat ? repeats + 1 : 0;
    act[name](argument, repeats);
    event.preventDefault();
    event.stopPropagation();
  };
  root.addEventListener("keydown", onKey, { signal });
  // A click anywhere in the view gives it the focus; JupyterLab would take it for the cell.
  root.addEventListener(
    "pointerdown",
    (event) => {
      if (!event.target.closest("button, input, select, a, textarea")) root.focus({ preventScroll: true });
    },
    { signal },
  );
  return act;
}
