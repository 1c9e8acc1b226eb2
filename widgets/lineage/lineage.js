// The lineage of the kernels: frames against frames, the drift and its jumps, the path, and what a joint relies on.

import { palette } from "../core/colours.js";
import { h } from "../core/dom.js";
import { mount } from "../core/mount.js";
import { driftView } from "./drift_view.js";
import { matrixView } from "./matrix_view.js";
import { pathView } from "./path_view.js";
import { picturesView } from "./pictures_view.js";
import { relianceView } from "./reliance_view.js";
import { LineageState } from "./state.js";
import { titleView } from "./title_view.js";

/** @import { Context, FrameRecord, Header } from "../core/types.d.ts" */

const NO_KERNELS =
  "This model has no kernels: it finds the joints in each frame on its own and hands nothing on to the next.";

/**
 * Build the view in `root`.
 * @param {HTMLElement} root
 * @param {LineageState} state
 */
function buildLineage(root, state) {
  const title = titleView(state);
  const matrix = matrixView(state);
  const drift = driftView(state);
  const pictures = picturesView(state, root);
  const path = pathView(state, root);
  const reliance = relianceView(state);
  const none = h("p", { hidden: true }, NO_KERNELS);
  const left = h("div", {}, ...matrix.elements, ...drift.elements);
  const right = h("div", {}, ...pictures.elements, ...path.elements);
  const body = h("div", { class: "dkd-lineage-body" }, left, right);
  root.append(h("div", { class: "dkd-panel" }, title.element, none, body, reliance.element, matrix.spoken));

  return {
    /** @param {Header} header */
    header(header) {
      state.reset();
      none.hidden = header.channels > 0;
      body.hidden = reliance.element.hidden = !header.channels;
      title.open(header);
      if (header.channels) state.ask({ type: "hello" });
      state.askRecorded();
    },
    /** @param {FrameRecord} record */
    paint({ frame }) {
      root.dataset.frame = String(frame);
      if (!state.header.channels) return;
      const name = state.kernelJoint || "whole";
      root.dataset.shown = state.isStale ? "" : `${name}${state.matrix?.centred ? " centred" : ""}`;
      body.classList.toggle("dkd-stale", state.isStale);
      title.paint();
      reliance.paint(frame);
      if (!state.matrix) return;
      const colours = palette(root);
      matrix.paint(state.matrix, frame, colours);
      drift.paint(state.matrix, frame, colours);
      path.paint(state.matrix, frame, colours);
      pictures.paint();
    },
  };
}

export default {
  /** @param {Context} context */
  async render(context) {
    await mount(context, "lineage", "Kernel lineage", (root, store, cursor, signal) =>
      buildLineage(root, new LineageState(context.model, store, cursor, signal)),
    );
  },
};
