// The transport: the controls that move in time, choose the joint and switch the layers. A part of the player.

import { h, icon, iconButton } from "../core/dom.js";
import { actions, SPEEDS } from "../core/keys.js";
import { readable } from "../core/text.js";

export function buildTransport(root, store, cursor, signal) {
  const act = actions(root, store, cursor);
  const button = (name, label, action, argument) =>
    holdable(
      iconButton(name, label, () => act[action](argument)),
      action === "step" ? (n) => act.step(argument, n) : null,
    );
  const play = iconButton("play", "Play (Space)", () => cursor.toggle());
  const speed = h("select", {
    title: "Playing speed (− and +)",
    "aria-label": "Playing speed",
    onchange: () => cursor.set("speed", Number(speed.value)),
  });
  for (const value of SPEEDS) speed.append(h("option", { value }, `×${value}`));
  const joint = h("select", {
    title: "Selected joint (J, Shift J, or click it)",
    "aria-label": "Selected joint",
    onchange: () => cursor.set("joint", joint.value),
  });
  const goto = h("input", {
    type: "number",
    class: "dkd-goto",
    min: 0,
    title: "Go to frame (F), counted from 0",
    "aria-label": "Go to frame",
    onchange: () => cursor.seek(Number(goto.value)),
  });
  const total = h("span", { class: "dkd-muted" });
  const seconds = h("span", { class: "dkd-seconds", title: "Time in the clip" });
  const slider = h("input", {
    type: "range",
    class: "dkd-slider",
    min: 0,
    step: 1,
    "aria-label": "Frame",
    title: "Frame",
    oninput: (event) => cursor.seek(Number(slider.value), event.timeStamp),
  });
  const layer = (name, label, key) => {
    const box = h("input", { type: "checkbox", onchange: () => cursor.setLayer(name, box.checked) });
    return { name, box, element: h("label", { class: "dkd-check", title: `${label} (${key})` }, box, label) };
  };
  const layers = [
    layer("skeleton", "Skeleton", "S"),
    layer("trails", "Trails", "T"),
    layer("box", "Box", "B"),
    layer("truth", "Truth", "G"),
    layer("heatmap", "Heatmap", "H"),
  ];
  const opacity = h("input", {
    type: "range",
    class: "dkd-opacity",
    min: 0,
    max: 1,
    step: 0.05,
    "aria-label": "Opacity of the heatmap",
    title: "Opacity of the heatmap over the frame",
    oninput: () => cursor.setLayer("opacity", Number(opacity.value)),
  });
  const element = h(
    "div",
    { class: "dkd-transport" },
    h(
      "div",
      { class: "dkd-row" },
      h(
        "div",
        { class: "dkd-buttons", role: "group", "aria-label": "Playing" },
        button("first", "First frame (Home)", "first"),
        button("back", "One frame back (←); hold to accelerate", "step", -1),
        play,
        button("on", "One frame on (→); hold to accelerate", "step", 1),
        button("last", "Last frame (End)", "last"),
      ),
      speed,
      joint,
      h(
        "div",
        { class: "dkd-layers", role: "group", "aria-label": "Layers" },
        ...layers.map((l) => l.element),
        opacity,
      ),
    ),
    h("div", { class: "dkd-scrub" }, h("span", { class: "dkd-clock" }, goto, total), slider, seconds),
  );

  // A held button repeats, as a held key does.
  function holdable(element, repeat) {
    if (!repeat) return element;
    let timer = 0;
    const stop = () => clearTimeout(timer);
    element.addEventListener(
      "pointerdown",
      () => {
        let count = 0;
        const again = () => {
          repeat((count += 1));
          timer = setTimeout(again, 33);
        };
        timer = setTimeout(again, 400);
      },
      { signal },
    );
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) element.addEventListener(end, stop, { signal });
    signal.addEventListener("abort", stop);
    return element;
  }

  return {
    element,
    header(header) {
      joint.replaceChildren(...header.joints.map((name) => h("option", { value: name }, readable(name))));
      slider.max = goto.max = header.n_frames - 1;
      total.textContent = `/ ${header.n_frames}`;
      total.title = `${header.n_frames} frames, counted from 0 to ${header.n_frames - 1}`;
      const truth = layers.find((l) => l.name === "truth");
      truth.element.hidden = !header.truth_kind;
      truth.element.title = `Labels: ${header.truth_kind} (G)`;
    },
    paint(record) {
      const { header } = store;
      const playing = cursor.get("playing");
      if (play.dataset.playing !== String(playing)) {
        play.dataset.playing = playing;
        play.replaceChildren(icon(playing ? "pause" : "play"));
        play.title = playing ? "Pause (Space)" : "Play (Space)";
        play.setAttribute("aria-label", play.title);
      }
      slider.value = cursor.get("frame");
      slider.setAttribute("aria-valuetext", `frame ${record.frame}, ${header.times[record.frame].toFixed(3)} seconds`);
      if (document.activeElement !== goto) goto.value = record.frame;
      seconds.textContent = `${header.times[record.frame].toFixed(3)} s`;
      speed.value = String(cursor.get("speed"));
      joint.value = header.joints[store.joint()];
      const shown = cursor.get("layers");
      for (const { name, box } of layers) box.checked = shown[name];
      opacity.value = shown.opacity;
      opacity.disabled = !shown.heatmap;
    },
  };
}
