// What all views share: DOM helpers, small multiples, the connection to the cursor and the feed, keys.

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

// ---- small multiples

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

// Small multiples: a button a joint, a canvas in each. Returns {element, tiles: [{joint, canvas, mark, button}]}.
function jointGrid(header, cursor, what) {
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
      element.append(h("div"));
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

// The one scale of all maps, with numbers.
function colourBar() {
  const canvas = h("canvas", { "aria-hidden": "true" });
  paintCells(
    canvas,
    256,
    1,
    Float32Array.from({ length: 256 }, (_, i) => MAP_SHOWN[0] + ((MAP_SHOWN[1] - MAP_SHOWN[0]) * i) / 255),
    viridis,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) =>
    h("span", {}, String(MAP_SHOWN[0] + share * (MAP_SHOWN[1] - MAP_SHOWN[0]))),
  );
  return h(
    "div",
    { class: "dkd-bar", title: "Confidence: one scale for all maps; below 0 is drawn as 0" },
    canvas,
    h("div", {}, ...ticks),
  );
}

// ---- connection

// Make a view's root, connect it, and keep it painted. build(root, store, cursor, signal) returns the view:
// {header(h), paint(record, bitmap), status(text), needsDetail}. A change of theme paints again.
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
  const theme = new MutationObserver(() => store.schedule());
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  signal.addEventListener("abort", () => {
    theme.disconnect();
    root.remove();
  });
  root.dkd = { store, cursor }; // for tests and for a curious console
  return root;
}

// The lines under a view: what the feed says, an error of a Python callback, a kernel that is gone.
function notes(root, model, signal) {
  const lines = { status: "status", error: "alert", gone: "status" };
  for (const [name, role] of Object.entries(lines)) {
    lines[name] = h("div", { class: `dkd-note dkd-${name}`, role, hidden: true });
    root.append(lines[name]);
  }
  const say = (name, text) => {
    lines[name].textContent = text;
    lines[name].hidden = !text;
  };
  const onError = () => say("error", model.get("_error"));
  model.on("change:_error", onError);
  signal.addEventListener("abort", () => model.off("change:_error", onError));
  onError();
  watchKernel(model, signal, () => {
    say(
      "gone",
      "The kernel is gone. Frames that are already here can still be seen; run the cell again for a live view.",
    );
    root.classList.add("dkd-without-kernel");
  });
  return { say: (text) => say("status", text) };
}

// Call gone() once the kernel that made the view was shut down, replaced or started anew. A kernel that is shut down
// from elsewhere tells nobody: JupyterLab finds out when it looks, and so does this.
function watchKernel(model, signal, gone) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.statusChanged) return; // not JupyterLab
  const stop = () => {
    clearInterval(timer);
    kernel.statusChanged.disconnect(onStatus);
  };
  const end = () => {
    stop();
    gone();
  };
  const onStatus = (_, status) => ["restarting", "autorestarting", "terminating", "dead"].includes(status) && end();
  const timer = setInterval(() => (kernel.isDisposed || model.widget_manager.kernel !== kernel) && end(), 2000);
  kernel.statusChanged.connect(onStatus);
  signal.addEventListener("abort", stop);
}

// While this widget lives, the filmstrip that its cell left is hidden.
function hideFilmstrip(name, signal) {
  const style = h("style");
  style.textContent = `[data-dkd-filmstrip="${name}"] { display: none; }`;
  document.head.append(style);
  signal.addEventListener("abort", () => style.remove());
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
    anew: (by) => store.header && jump(store.header.anew, Number(by)),
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

// Let the shortcut table act on root while it has the focus, and keep the keys from JupyterLab.
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
