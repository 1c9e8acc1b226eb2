// The workbench: title bar, the four views in one grid, help, notes.

import { h } from "../core/dom.js";
import { keys } from "../core/keys.js";
import { expose, hideFilmstrip, shared } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { buildCopy } from "./copy.js";
import { buildHelp } from "./help.js";
import { buildPolicy } from "./policy.js";
import { buildTitle } from "./title.js";

/** @import { Context } from "../core/types.d.ts" */

const VIEWS = ["player", "matching", "kernels", "timeline"];

/** @param {Context} context */
async function render({ model, el, host, signal }) {
  const { cursor, store } = await shared({ model, host });
  const root = h("section", { class: "dkd dkd-workbench", "aria-label": "Workbench" });
  const grid = h("div", { class: "dkd-grid" });
  const help = buildHelp();
  const copier = buildCopy(model, cursor, signal);
  const policy = buildPolicy(model, signal);
  const act = keys(root, store, cursor, signal, {
    help: () => {
      help.hidden = !help.hidden;
    },
    copy: () => copier.copy(),
    reinitialise: () => policy.toggle(),
    latency: () => {
      title.toggleLatency();
      store.schedule();
    },
  });
  const title = buildTitle(store, act, policy.element);
  root.append(title.element, copier.element, help, grid);
  const note = notes(root, model, signal);
  el.append(root);
  expose(root, store, cursor);
  hideFilmstrip(model.get("_filmstrip"), signal);
  store.attach(cursor);
  store.add({ ...title, status: (text) => note.say(text) }, signal);
  await Promise.all(
    VIEWS.map(async (name) => {
      const child = h("div", { class: `dkd-area dkd-area-${name}` });
      grid.append(child);
      const widget = await host.getWidget(model.get(`_${name}`));
      await widget.render({ el: child, signal });
    }),
  );
  signal.addEventListener("abort", () => root.remove());
}

export default { render };
