// The laboratory: the original run and the run that follows from interventions, on one cursor.

/** @import { Context } from "../core/types.d.ts" */

import { listen, mount, shared } from "../core/mount.js";
import { readEffect } from "./effect.js";
import { LinkedRuns } from "./linked_runs.js";
import { buildParts } from "./parts.js";

export default {
  /** @param {Context} context */
  async render(context) {
    const { model, host } = context;
    const feed = await host.getWidget(model.get("_other_feed"));
    const { store: other } = feed.exports;
    const root = await mount(context, "laboratory", "Laboratory", (root, store, cursor, signal) => {
      const edited = () => linked.paintEditsSoon();
      const parts = buildParts({ root, store, other, cursor, model, edited, signal });
      const linked = new LinkedRuns({ root, store, other, cursor, parts, signal });
      const onEffect = () => linked.setEffect(readEffect(model.get("_effect")));
      const onProblem = () => parts.sayProblem(model.get("_problem"));
      listen(model, ["change:_effect"], onEffect, signal);
      listen(model, ["change:_problem"], onProblem, signal);
      onEffect();
      onProblem();
      other.attach(cursor);
      other.add(linked.second(), signal);
      return linked.first();
    });
    const { store, cursor } = await shared(context);
    Object.assign(root, { dkd: { store, cursor, other } }); // for tests, and for the browser's console
  },
};
