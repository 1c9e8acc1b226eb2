// The laboratory: the original run and the run that follows from interventions, on one cursor.

/** @import { Context, Model } from "../core/types.d.ts" */

import { mount } from "../core/mount.js";
import { unpack } from "../core/wire.js";
import { linkRuns } from "./linked_runs.js";
import { buildParts } from "./parts.js";

/**
 * Call heard() with a trait's value, now and at each change.
 *
 * @param {Model} model
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {(value: any) => void} heard
 */
function listenTo(model, name, signal, heard) {
  const onChange = () => heard(model.get(name));
  model.on(`change:${name}`, onChange);
  signal.addEventListener("abort", () => model.off(`change:${name}`, onChange));
  onChange();
}

export default {
  /** @param {Context} context */
  async render(context) {
    const { model, host } = context;
    const feed = await host.getWidget(model.get("_other_feed"));
    const { store: other } = feed.exports;
    const root = await mount(context, "laboratory", "Laboratory", (root, store, cursor, signal) => {
      const edited = () => linked.paintEditsSoon();
      const parts = buildParts({ root, store, other, cursor, model, edited, signal });
      const linked = linkRuns({ root, store, other, cursor, parts, signal });
      listenTo(model, "_effect", signal, (given) => {
        const effect = { ...given, distances: unpack(given.distances, Float32Array) };
        parts.lane.update(effect);
        parts.done.update(effect);
        linked.setEffect(effect);
      });
      listenTo(model, "_problem", signal, parts.sayProblem);
      other.attach(cursor);
      other.add(linked.second, signal);
      return linked.first;
    });
    root.dkd.other = other; // for tests, and for the browser's console
  },
};
