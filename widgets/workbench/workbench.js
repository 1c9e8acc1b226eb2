// The workbench: title bar, the four views in one grid, help, notes.

import { h } from "../core/dom.js";
import { keys, SHORTCUTS } from "../core/keys.js";
import { hideFilmstrip } from "../core/mount.js";
import { notes } from "../core/notes.js";

// "Re-initialise when lost": the kernel follows the person again with or without it, and shows the result in place.
function buildPolicy(model, signal) {
  const box = h("input", { type: "checkbox", onchange: () => set(box.checked) });
  const note = h("span", { class: "dkd-muted", role: "status" });
  const element = h(
    "span",
    { class: "dkd-policy" },
    h(
      "label",
      { class: "dkd-check", title: "Look for the person anew where the track is lost; the timeline marks it (R)" },
      box,
      "Re-initialise when lost",
    ),
    note,
  );
  const set = (on) => {
    if (box.disabled) return;
    model.set("reinitialise", on);
    model.save_changes();
  };
  const update = () => {
    box.checked = model.get("reinitialise");
    box.disabled = !model.get("_can_retrace");
    note.textContent = model.get("_new_starts");
  };
  const names = ["reinitialise", "_can_retrace", "_new_starts"].map((name) => `change:${name}`);
  for (const name of names) model.on(name, update);
  signal.addEventListener("abort", () => names.forEach((name) => model.off(name, update)));
  update();
  return { element, toggle: () => set(!model.get("reinitialise")) };
}

function buildTitle(root, store, cursor, act, policy) {
  const clip = h("strong");
  const facts = h("span", { class: "dkd-muted" });
  const latency = h("span", {
    class: "dkd-latency",
    hidden: true,
    title: "From your last move to the painted frame: median, and the slowest twentieth, of the last 200 moves",
  });
  const button = (text, label, action) =>
    h("button", { class: "dkd-text", title: label, "aria-label": label, onclick: () => act[action]() }, text);
  const element = h(
    "div",
    { class: "dkd-title" },
    clip,
    facts,
    h("span", { class: "dkd-space" }),
    policy.element,
    latency,
    button("latency", "Latency read-out (L)", "latency"),
    button("copy as Python", "Copy this view as Python (C)", "copy"),
    button("? keys", "Keyboard shortcuts (?)", "help"),
  );
  return {
    element,
    toggleLatency: () => (latency.hidden = !latency.hidden),
    header(header) {
      clip.textContent = header.clip;
      const size = header.size.join("×");
      clip.title = `${size} pixels, ${header.n_frames} frames, ${header.fps.toFixed(2)} frames a second`;
      facts.textContent = `${header.model} · ${size}, ${header.fps.toFixed(0)} fps · read by ${header.backend}`;
    },
    paint() {
      if (latency.hidden) return;
      const sorted = [...store.latencies].sort((a, b) => a - b);
      const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "–";
      latency.textContent = `${at(0.5)} ms, slowest ${at(0.95)} ms`;
    },
  };
}

function buildHelp() {
  const groups = Map.groupBy
    ? Map.groupBy(SHORTCUTS, (s) => s.group)
    : SHORTCUTS.reduce((m, s) => m.set(s.group, [...(m.get(s.group) ?? []), s]), new Map());
  const keysOf = (s) => s.labels.flatMap((label, i) => [...(i ? [" or "] : []), h("kbd", {}, label)]);
  const tables = [...groups].map(([name, rows]) =>
    h(
      "div",
      {},
      h("h4", {}, name),
      h("dl", {}, ...rows.flatMap((s) => [h("dt", {}, ...keysOf(s)), h("dd", {}, s.help)])),
    ),
  );
  return h(
    "div",
    { class: "dkd-panel dkd-help", hidden: true, role: "region", "aria-label": "Keyboard shortcuts" },
    h(
      "header",
      {},
      h("h3", {}, "Keys"),
      h("span", { class: "dkd-muted" }, "They act while the workbench has the focus: click it, or tab to it."),
    ),
    h("div", { class: "dkd-help-groups" }, ...tables),
  );
}

// "copy as Python": the kernel writes the line, the clipboard takes it; where it may not, the line stays to be copied.
function buildCopy(model, cursor, signal) {
  const text = h("input", {
    type: "text",
    readonly: true,
    "aria-label": "This view as Python",
    title: "This view as Python",
  });
  const label = h("span", { class: "dkd-muted" });
  const element = h("div", { class: "dkd-copy", hidden: true, role: "status" }, text, label);
  let timer = 0;
  const onMessage = async (content) => {
    if (content.type !== "code") return;
    text.value = content.code;
    element.hidden = false;
    try {
      await navigator.clipboard.writeText(content.code);
      label.textContent = "copied";
    } catch {
      text.select();
      label.textContent = "press Ctrl+C to copy";
    }
    clearTimeout(timer);
    timer = setTimeout(() => (element.hidden = true), 8000);
  };
  model.on("msg:custom", onMessage);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    model.off("msg:custom", onMessage);
  });
  const state = () =>
    Object.fromEntries(["frame", "joint", "layers", "cell", "speed"].map((name) => [name, cursor.get(name)]));
  return { element, copy: () => model.send({ type: "code", state: state() }) };
}

async function render({ model, el, host, signal }) {
  const [cursorWidget, feed] = await Promise.all(["_cursor", "_feed"].map((name) => host.getWidget(model.get(name))));
  const { cursor } = cursorWidget.exports;
  const { store } = feed.exports;
  const root = h("section", { class: "dkd dkd-workbench", "aria-label": "Workbench" });
  const grid = h("div", { class: "dkd-grid" });
  const help = buildHelp();
  const copier = buildCopy(model, cursor, signal);
  const policy = buildPolicy(model, signal);
  const act = keys(root, store, cursor, signal, {
    help: () => (help.hidden = !help.hidden),
    copy: () => copier.copy(),
    reinitialise: () => policy.toggle(),
    latency: () => {
      title.toggleLatency();
      store.schedule();
    },
  });
  const title = buildTitle(root, store, cursor, act, policy);
  root.append(title.element, copier.element, help, grid);
  const note = notes(root, model, signal);
  el.append(root);
  root.dkd = { store, cursor };
  hideFilmstrip(model.get("_filmstrip"), signal);
  store.attach(cursor);
  store.add({ ...title, status: (text) => note.say(text) }, signal);
  for (const name of ["player", "matching", "kernels", "timeline"]) {
    const child = h("div", { class: `dkd-area dkd-area-${name}` });
    grid.append(child);
    const widget = await host.getWidget(model.get(`_${name}`));
    await widget.render({ el: child, signal });
  }
  signal.addEventListener("abort", () => root.remove());
}

export default { render };
