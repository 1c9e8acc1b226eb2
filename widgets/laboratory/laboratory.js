// The laboratory: a run as it was and the run that follows from interventions, on one cursor.

import { h } from "../core/dom.js";
import { fitted } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { clamp, readable } from "../core/text.js";
import { unpack } from "../core/wire.js";
import { buildKernelEditor } from "./kernel_editor.js";
import { buildLane } from "./lane.js";
import { buildMaps } from "./maps.js";
import { buildDone, buildPanel } from "./panel.js";
import { buildScene } from "../workbench/scene.js";
import { buildTransport } from "../workbench/transport.js";

const DRAG = 4; // CSS pixels: less is a click

function buildLaboratory(root, store, cursor, signal, model, other) {
  let effect = null;
  let generation = null; // of the second run that is shown
  let said = ""; // by the second run's feed
  let drag = null; // a rectangle that is being drawn, in pixels of the frame
  const shown = { was: null, is: null }; // the records that are painted

  const send = (content) => {
    try {
      model.send(content);
    } catch {
      problem("The kernel does not answer; nothing was done.");
    }
  };
  const apply = (steps) => send({ type: "apply", steps });
  const act = (name) => send({ type: name });

  // ---- the page

  const controls = buildTransport(root, store, cursor, signal);
  const runs = [
    { name: "was", label: "As it was", of: store },
    { name: "is", label: "What if", of: other },
  ].map((run) => {
    const canvas = h("canvas", { class: "dkd-frame", role: "img" });
    const note = h("span", { class: "dkd-muted", role: "status" });
    const element = h(
      "div",
      { class: `dkd-panel dkd-lab-run dkd-lab-run-${run.name}` },
      h("header", {}, h("h3", {}, run.label), note),
      h("div", { class: "dkd-screen" }, canvas),
    );
    const fit = fitted(canvas, signal, () => run.of.schedule());
    return { ...run, canvas, note, element, fit, scene: buildScene(root, run.of, cursor) };
  });
  const [was, is] = runs;
  const cover = h("div", { class: "dkd-lab-cover", hidden: true });
  is.canvas.after(cover);
  const maps = buildMaps(root, store, other, cursor, signal);
  const lane = buildLane(root, store, cursor, signal);
  const panel = buildPanel(model, cursor, apply);
  const done = buildDone(root, act);
  const editor = buildKernelEditor(root, other, cursor, signal, apply, repaint);
  const problemLine = h("div", { class: "dkd-note dkd-error dkd-lab-problem", role: "alert", hidden: true });
  root.append(
    h(
      "div",
      { class: "dkd-lab" },
      h("div", { class: "dkd-lab-upper" }, was.element, is.element, panel.element),
      problemLine,
      h("div", { class: "dkd-lab-lower" }, maps.element, editor.element, done.element),
      controls.element,
      lane.element,
    ),
  );

  function problem(text) {
    problemLine.textContent = text;
    problemLine.hidden = !text;
  }

  // ---- from the kernel

  const onEffect = () => {
    const given = model.get("_effect");
    effect = { ...given, distances: unpack(given.distances, Float32Array) };
    lane.update(effect);
    done.update(effect);
    store.schedule();
  };
  const onProblem = () => problem(model.get("_problem"));
  model.on("change:_effect", onEffect);
  model.on("change:_problem", onProblem);
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(raf);
    model.off("change:_effect", onEffect);
    model.off("change:_problem", onProblem);
  });

  // ---- the pictures: a click selects a joint, a drag over "what if" is a rectangle to cover

  was.canvas.addEventListener("click", (event) => was.scene.select(was.canvas, event), { signal });
  const toFrame = (event) => {
    const { scale, left, top } = is.scene.geometry([is.canvas.clientWidth, is.canvas.clientHeight]);
    const { size } = other.header;
    const box = is.canvas.getBoundingClientRect();
    return [
      clamp((event.clientX - box.left - left) / scale, 0, size[0]),
      clamp((event.clientY - box.top - top) / scale, 0, size[1]),
    ];
  };
  is.canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button || !other.header) return;
      is.canvas.setPointerCapture?.(event.pointerId);
      drag = { from: toFrame(event), at: [event.clientX, event.clientY], moved: false };
    },
    { signal },
  );
  is.canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!drag) return;
      drag.moved ||= Math.hypot(event.clientX - drag.at[0], event.clientY - drag.at[1]) > DRAG;
      if (!drag.moved) return;
      const to = toFrame(event);
      const corner = (pick) => [0, 1].map((k) => Math.round(pick(drag.from[k], to[k])));
      panel.setBox([...corner(Math.min), ...corner(Math.max)]);
      other.schedule();
    },
    { signal },
  );
  is.canvas.addEventListener(
    "pointerup",
    (event) => {
      if (drag && !drag.moved) is.scene.select(is.canvas, event);
      drag = null;
    },
    { signal },
  );
  is.canvas.addEventListener("pointercancel", () => (drag = null), { signal });
  panel.element.addEventListener("input", () => other.schedule(), { signal });
  panel.element.addEventListener("click", () => other.schedule(), { signal });

  // The rectangle of the form that covers, where it is filled in.
  function drawBox() {
    const box = panel.box();
    if (!box || box.some((value) => value === "")) return;
    const [x0, y0, x1, y1] = box.map(Number);
    const { scale, left, top } = is.scene.geometry(is.fit());
    const context = is.canvas.getContext("2d");
    for (const [colour, width, dash] of [
      ["rgba(0,0,0,.7)", 4, []],
      ["#ffffff", 2, [6, 4]],
    ]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.setLineDash(dash);
      context.strokeRect(left + x0 * scale, top + y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale);
    }
    context.setLineDash([]);
  }

  // ---- undo and redo by keys, wherever the focus is but in a field

  root.addEventListener(
    "keydown",
    (event) => {
      const key = event.key.toLowerCase();
      if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(key)) return;
      event.stopPropagation();
      if (event.target.matches("input[type=number], input[type=text], textarea")) return;
      event.preventDefault();
      act(key === "y" || event.shiftKey ? "redo" : "undo");
    },
    { signal },
  );

  // ---- painting

  // Playing waits for both runs, but not for what is not computed yet.
  function setClock() {
    if (!store.header || !other.header) return;
    const ready = (of, frame) => frame >= of.header.n_frames || !of.decode(frame, true);
    cursor.clock = {
      times: store.header.times,
      ready: (frame) => [store, other].every((of) => ready(of, frame)),
      paint: () => [store, other].forEach((of) => of.paint()),
    };
  }

  function paintRun(run, record, bitmap) {
    const { header } = run.of;
    const joint = run.of.joint();
    run.scene.draw(run.canvas, run.fit(), record, bitmap);
    run.canvas.dataset.frame = record.frame;
    run.canvas.setAttribute(
      "aria-label",
      `${run.label}, frame ${record.frame} with the skeleton; ` +
        `${readable(header.joints[joint])} selected, score ${record.scores[joint].toFixed(2)}`,
    );
    shown[run.name] = record;
  }

  // What the edits of a kernel change, and nothing else: the pointer that paints waits for it.
  let raf = 0;
  function repaint() {
    raf ||= requestAnimationFrame(() => {
      raf = 0;
      if (!shown.is || other.shown !== shown.is) return; // all will be painted
      paintEdits(shown.is);
      compare();
    });
  }

  function paintEdits(record) {
    editor.paint(record);
    maps.paint(record, true, editor.preview());
    maps.versionPainted(editor.version());
  }

  function compare() {
    const together = shown.was && shown.is && shown.was.frame === shown.is.frame;
    if (together) maps.compare(shown.was, shown.is, editor.preview());
  }

  // What both runs together show, and what is still missing.
  function compose() {
    if (!store.header || !other.header || !effect) return;
    const frame = cursor.get("frame");
    const computed = other.header.n_frames;
    const missing = frame >= computed;
    cover.hidden = !missing;
    cover.textContent = `computing … frame ${computed} of ${effect.of}`;
    is.canvas.classList.toggle("dkd-stale", missing);
    is.note.textContent =
      computed < effect.of
        ? `computing … frame ${computed} of ${effect.of}`
        : effect.waits
          ? "waiting for its frames …"
          : said;
    was.note.textContent = `frame ${frame}`;
    maps.element.classList.toggle("dkd-stale", missing);
    compare();
    lane.paint(frame);
    panel.frame(frame);
    root.dataset.frame = shown.was?.frame ?? "";
    root.dataset.other = shown.is?.frame ?? "";
    root.dataset.calls = effect.calls.length;
  }

  const second = {
    needsDetail: true,
    header(header) {
      editor.header(header, generation !== header.generation);
      if (generation !== header.generation) shown.is = null;
      generation = header.generation;
      is.scene.header();
      maps.header(header);
      setClock();
      compose();
    },
    paint(record, bitmap) {
      paintRun(is, record, bitmap);
      drawBox();
      paintEdits(record);
      compose();
    },
    status(text) {
      said = text;
      compose();
    },
  };
  other.attach(cursor);
  other.add(second, signal);
  onEffect();
  onProblem();

  return {
    header(header) {
      for (const run of runs) {
        run.canvas.style.aspectRatio = `${header.size[0]} / ${header.size[1]}`;
        run.element.style.setProperty("--dkd-aspect", header.size[0] / header.size[1]);
      }
      was.scene.header();
      maps.header(header);
      controls.header(header);
      panel.header(header);
      setClock();
      compose();
    },
    paint(record, bitmap) {
      paintRun(was, record, bitmap);
      maps.paint(record, false, null);
      controls.paint(record);
      compose();
    },
  };
}

export default {
  render: async (context) => {
    const feed = await context.host.getWidget(context.model.get("_other_feed"));
    const { store } = feed.exports;
    const root = await mount(context, "laboratory", "Laboratory", (...parts) =>
      buildLaboratory(...parts, context.model, store),
    );
    root.dkd.other = store; // for tests and for a curious console
  },
};
