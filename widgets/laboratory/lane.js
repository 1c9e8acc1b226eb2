// How far the two tracks are apart in each frame, and whether the track recovered, in words. A part of the laboratory.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Effect } from "./effect.js" */

import { palette } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { fitted } from "../core/drawing.js";
import { clamp, readable } from "../core/text.js";
import { curves, sentence } from "./effect.js";
import { drawDistances } from "./lane_drawing.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root the view
 * @param {Store} options.store of the original run
 * @param {CursorState} options.cursor
 * @param {AbortSignal} options.signal
 */
export function buildLane({ root, store, cursor, signal }) {
  const canvas = h("canvas", { class: "dkd-lab-lane", role: "img", title: "Click or drag to go to a frame" });
  const words = h("div", { class: "dkd-lab-recovery", role: "status" });
  const here = h("span", { class: "dkd-muted" });
  const selected = h("span");
  const legend = [key("worst", "worst joint"), key("selected", selected), key("span", "intervention acts")];
  const element = h(
    "div",
    { class: "dkd-lab-lane-place" },
    h(
      "div",
      { class: "dkd-row" },
      h("strong", {}, "Distance"),
      words,
      h("span", { class: "dkd-space" }),
      here,
      h("div", { class: "dkd-legend" }, ...legend),
    ),
    canvas,
  );
  const measure = fitted(canvas, signal, () => store.schedule());
  seekByPointer(canvas, store, cursor, signal);
  /** @type {Effect | null} */
  let effect = null;

  return {
    element,
    /** @param {Effect} given */
    update(given) {
      effect = given;
      if (store.header) words.textContent = sentence(effect);
    },
    /** @param {number} frame */
    paint(frame) {
      const { header } = store;
      if (!effect || !header) return;
      const size = measure();
      const joint = store.joint();
      const name = readable(header.joints[joint]);
      const { worst, mine } = curves(effect, header.joints.length, joint);
      words.textContent = sentence(effect);
      selected.textContent = name;
      here.textContent =
        frame < effect.frames
          ? `frame ${frame}: worst ${worst[frame].toFixed(3)}, ${name} ${mine[frame].toFixed(3)}`
          : `frame ${frame} is still being computed`;
      const label = `Distance between the two tracks in shares of the person’s box. ${here.textContent}`;
      canvas.setAttribute("aria-label", label);
      if (!size[0]) return;
      const context = context2d(canvas);
      drawDistances(context, size, { effect, worst, mine, frame, count: header.n_frames }, palette(root));
    },
  };
}

/** @type {(kind: string, words: string | Node) => HTMLElement} */
const key = (kind, words) => h("span", {}, h("i", { class: `dkd-lab-key dkd-lab-key-${kind}` }), words);

/** @type {(canvas: HTMLCanvasElement, store: Store, cursor: CursorState, signal: AbortSignal) => void} */
function seekByPointer(canvas, store, cursor, signal) {
  /** @param {PointerEvent} event */
  const seek = (event) => {
    if (!store.header) return;
    const { left, width } = canvas.getBoundingClientRect();
    const along = clamp((event.clientX - left) / width, 0, 0.9999);
    cursor.seek(Math.floor(along * store.header.n_frames), event.timeStamp);
  };
  const start = (/** @type {PointerEvent} */ event) => {
    if (store.header) canvas.setPointerCapture?.(event.pointerId);
    seek(event);
  };
  canvas.addEventListener("pointerdown", start, { signal });
  canvas.addEventListener("pointermove", (event) => event.buttons && seek(event), { signal });
}
