// The picture of one of the two runs, with what the model found drawn over it. A part of the laboratory.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */

import { h } from "../core/dom.js";
import { fitted } from "../core/drawing.js";
import { readable } from "../core/text.js";
import { buildScene } from "../workbench/scene.js";

/** @typedef {ReturnType<typeof buildRun>} Run */

/**
 * @param {object} options
 * @param {"original" | "what-if"} options.name for the style sheet
 * @param {string} options.label
 * @param {HTMLElement} options.root the view
 * @param {Store} options.store of the run
 * @param {CursorState} options.cursor
 * @param {AbortSignal} options.signal
 */
export function buildRun({ name, label, root, store, cursor, signal }) {
  const canvas = h("canvas", { class: "dkd-frame", role: "img" });
  const note = h("span", { class: "dkd-muted", role: "status" });
  const screen = h("div", { class: "dkd-screen" }, canvas);
  const header = h("header", {}, h("h3", {}, label), note);
  const element = h("div", { class: `dkd-panel dkd-lab-run dkd-lab-run-${name}` }, header, screen);
  const measure = fitted(canvas, signal, () => store.schedule());
  const scene = buildScene(root, store, cursor);
  /** @type {FrameRecord | null} */
  let shown = null;

  return {
    element,
    canvas,
    note,
    scene,
    measure,
    store,
    // The record that is painted.
    shown: () => shown,
    forget() {
      shown = null;
    },
    /** @param {Header} header */
    aspect({ size: [columns, height], pixel_aspect }) {
      const width = columns * pixel_aspect;
      canvas.style.aspectRatio = `${width} / ${height}`;
      element.style.setProperty("--dkd-aspect", String(width / height));
    },
    /** @type {(record: FrameRecord, bitmap: ImageBitmap) => void} */
    paint(record, bitmap) {
      if (!store.header) return;
      const joint = store.joint();
      scene.draw(canvas, measure(), record, bitmap);
      canvas.dataset.frame = String(record.frame);
      canvas.setAttribute(
        "aria-label",
        `${label}, frame ${record.frame} with the skeleton; ` +
          `${readable(store.header.joints[joint])} selected, score ${record.scores[joint].toFixed(2)}`,
      );
      shown = record;
    },
  };
}
