// The player: the frame with what the model found drawn over it (scene.js). Its controls are in transport.js.

import { h } from "../core/dom.js";
import { fitted } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { numberOf, readable } from "../core/text.js";
import { buildScene } from "./scene.js";
import { buildTransport } from "./transport.js";

/** @import { Context, FrameRecord, View } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Look } from "./scene.js" */

/**
 * The canvas with its place and size, for what an editor does on it.
 * @typedef {{ canvas: HTMLCanvasElement, scene: ReturnType<typeof buildScene>, fit: () => [number, number] }} Stage
 */
/**
 * What an editor adds: its look, the record that is drawn, what is drawn over it, and what a pointer does.
 * @typedef {object} Editing
 * @property {Look} look
 * @property {(stage: Stage) => void} begin called once
 * @property {(record: FrameRecord) => FrameRecord} drawn
 * @property {(stage: Stage, record: FrameRecord) => void} over
 */

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 * @param {Editing} [editing]
 * @returns {View}
 */
export function buildPlayer(root, store, cursor, signal, editing) {
  const canvas = h("canvas", { class: "dkd-frame", role: "img" });
  const legend = h("div", { class: "dkd-legend" });
  const stage = h(
    "div",
    { class: "dkd-panel dkd-stage" },
    h("header", {}, h("h3", {}, "Player"), legend),
    h("div", { class: "dkd-screen" }, canvas),
  );
  const controls = buildTransport(root, store, cursor, signal);
  root.append(stage, controls.element);
  const fit = fitted(canvas, signal, () => store.schedule());
  const scene = buildScene(root, store, cursor, editing?.look);
  const surface = { canvas, scene, fit };
  if (editing) editing.begin(surface);
  else canvas.addEventListener("click", (event) => scene.select(canvas, event), { signal });
  const item = (/** @type {string} */ kind, /** @type {string} */ text) =>
    h("span", {}, h("i", { class: `dkd-swatch dkd-${kind}` }), text);

  return {
    header(header) {
      scene.header();
      const width = header.size[0] * header.pixel_aspect; // as shown, in rows of the frame
      canvas.style.aspectRatio = `${width} / ${header.size[1]}`;
      const whole = /** @type {HTMLElement} */ (root.closest(".dkd-workbench") ?? root);
      whole.style.setProperty("--dkd-aspect", String(width / header.size[1]));
      const truth = item("truth", `labels: ${header.truth_kind.split(":")[0]}`);
      truth.title = header.truth_kind;
      const parts = [item("left", "left"), item("right", "right")];
      if (header.is_track) parts.push(item("hollow", "track of another tool"));
      if (header.truth_kind) parts.push(truth);
      legend.replaceChildren(...parts);
      controls.header(header);
    },
    paint(record, bitmap) {
      const selected = store.joint();
      scene.draw(canvas, fit(), editing?.drawn(record) ?? record, bitmap);
      editing?.over(surface, record);
      root.dataset.frame = String(record.frame);
      const joint = readable(store.header.joints[selected]);
      const score = record.scores[selected];
      const words = Number.isNaN(score) ? "without a score" : `score ${score.toFixed(2)}`;
      const number = numberOf(store.header, record.frame);
      canvas.setAttribute("aria-label", `frame ${number} with the skeleton; ${joint} selected, ${words}`);
      controls.paint(record);
    },
  };
}

export default {
  /** @param {Context} context */
  render: async (context) => {
    await mount(context, "player", "Player", buildPlayer);
  },
};
