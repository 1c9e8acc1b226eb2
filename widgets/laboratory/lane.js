// How far the two tracks are apart, frame by frame, and what became of the person in words. A part of the laboratory.

import { palette } from "../core/colours.js";
import { h } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import { clamp, readable } from "../core/text.js";

// Returns {element, update(effect), paint(frame)}; effect is the laboratory's, with distances as numbers.
export function buildLane(root, store, cursor, signal) {
  const canvas = h("canvas", { class: "dkd-lab-lane", role: "img", title: "Click or drag to go to a frame" });
  const words = h("div", { class: "dkd-lab-recovery", role: "status" });
  const here = h("span", { class: "dkd-muted" });
  const key = (kind, text) => h("span", {}, h("i", { class: `dkd-lab-key dkd-lab-key-${kind}` }), text);
  const selectedKey = key("selected", "");
  const element = h(
    "div",
    { class: "dkd-lab-lane-place" },
    h(
      "div",
      { class: "dkd-row" },
      h("strong", {}, "Apart"),
      words,
      h("span", { class: "dkd-space" }),
      here,
      h("div", { class: "dkd-legend" }, key("worst", "worst joint"), selectedKey, key("span", "intervention acts")),
    ),
    canvas,
  );
  const fit = fitted(canvas, signal, () => store.schedule());
  let effect = null;

  const seek = (event) => {
    const { left, width } = canvas.getBoundingClientRect();
    const share = clamp((event.clientX - left) / width, 0, 0.9999);
    cursor.seek(Math.floor(share * store.header.n_frames), event.timeStamp);
  };
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (!store.header) return;
      canvas.setPointerCapture?.(event.pointerId);
      seek(event);
    },
    { signal },
  );
  canvas.addEventListener("pointermove", (event) => event.buttons && store.header && seek(event), { signal });

  const joints = () => store.header.joints.length;
  const row = (t) => effect.distances.subarray(t * joints(), (t + 1) * joints());

  function sentence() {
    const { recovery, frames, of } = effect;
    if (!recovery) return "nothing was changed: both runs are the same";
    const sofar = frames < of ? " so far" : "";
    const share = (value) => `${value.toFixed(3)} of the box`;
    const largest = `largest ${share(recovery.peak)} in frame ${recovery.peak_frame} (${readable(recovery.peak_joint)})`;
    if (recovery.first === null) return `never further off than ${recovery.tolerance} of the box${sofar} · ${largest}`;
    const back =
      recovery.frames === null
        ? recovery.lasts
          ? "lasts to the end"
          : `not back${sofar}`
        : `back after ${recovery.frames} frame${recovery.frames === 1 ? "" : "s"} (frame ${recovery.recovered})`;
    return `first off in frame ${recovery.first} · ${largest} · ${back}`;
  }

  return {
    element,
    update(given) {
      effect = given;
      if (store.header) words.textContent = sentence();
    },
    paint(frame) {
      if (!effect) return;
      const { header } = store;
      const [width, height] = fit();
      words.textContent = sentence();
      const joint = store.joint();
      const name = readable(header.joints[joint]);
      selectedKey.lastChild.textContent = name;
      const worst = Array.from({ length: effect.frames }, (_, t) => Math.max(...row(t)));
      const mine = Array.from({ length: effect.frames }, (_, t) => row(t)[joint]);
      here.textContent =
        frame < effect.frames
          ? `frame ${frame}: worst ${worst[frame].toFixed(3)}, ${name} ${mine[frame].toFixed(3)}`
          : `frame ${frame} is still being computed`;
      const label = `Distance of the two tracks in shares of the person’s box. ${here.textContent}`;
      canvas.setAttribute("aria-label", label);
      if (!width) return;
      const colours = palette(root);
      const context = canvas.getContext("2d");
      const count = header.n_frames;
      const top = Math.max(0.1, ...worst);
      const x = (t) => (t / count) * width;
      const y = (value) => 14 + (height - 16) * (1 - value / top);
      context.clearRect(0, 0, width, height);
      context.fillStyle = colours.ink;
      for (const [start, stop] of effect.spans) {
        const [left, right] = [x(start), Math.max(x(stop), x(start) + 2)];
        context.globalAlpha = 0.08;
        context.fillRect(left, 12, right - left, height - 12);
        context.globalAlpha = 1;
        context.fillRect(left, 9, right - left, 3);
        context.beginPath();
        context.moveTo(left - 4, 0);
        context.lineTo(left + 5, 0);
        context.lineTo(left + 0.5, 8);
        context.fill();
      }
      Object.assign(context, { strokeStyle: colours.line, lineWidth: 1 });
      context.strokeRect(0.5, 12.5, width - 1, height - 13);
      if (effect.frames < count) {
        context.globalAlpha = 0.5;
        context.fillStyle = colours.line;
        context.fillRect(x(effect.frames), 13, width - x(effect.frames), height - 14);
        context.globalAlpha = 1;
      }
      context.setLineDash([3, 4]);
      context.strokeStyle = colours.muted;
      const tolerance = effect.recovery?.tolerance;
      if (tolerance) line([[0, tolerance], [count, tolerance]]); // prettier-ignore
      context.setLineDash([]);
      Object.assign(context, { lineWidth: 1.5, strokeStyle: colours.ink, lineJoin: "round" });
      line(worst.map((value, t) => [t + 0.5, value]));
      Object.assign(context, { lineWidth: 2, strokeStyle: colours.accent });
      context.setLineDash([5, 3]);
      line(mine.map((value, t) => [t + 0.5, value]));
      context.setLineDash([]);
      Object.assign(context, { fillStyle: colours.muted, font: `11px ${colours.font}`, textBaseline: "top" });
      context.textAlign = "right";
      context.fillText(`${top.toFixed(2)} of the box`, width - 5, 15);
      const cx = x(frame + 0.5);
      Object.assign(context, { strokeStyle: colours.back, lineWidth: 4 });
      stroke(context, [cx, 12], [cx, height]);
      Object.assign(context, { strokeStyle: colours.accent, lineWidth: 2 });
      stroke(context, [cx, 12], [cx, height]);

      function line(points) {
        context.beginPath();
        points.forEach(([t, value], i) => context[i ? "lineTo" : "moveTo"](x(t), y(value)));
        context.stroke();
      }
    },
  };
}
