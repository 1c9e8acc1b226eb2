// The workbench: title bar, the four views in one grid, help, notes.

import { h } from "../core/dom.js";
import { actions, keys } from "../core/keys.js";
import { expose, hideFilmstrip, shared } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { buildCopy } from "./copy.js";
import { buildHelp } from "./help.js";
import { buildPolicy } from "./policy.js";
import { buildTitle } from "./title.js";

/** @import { Actions, Context } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */

/**
 * What a view that is more than a workbench adds: actions of the shortcuts, and elements above and below the grid. With
 * `own` actions, it shows each run unchanged, so it has no switch for re-initialisation.
 * @typedef {{ own: Actions, above: Node[], below: Node[] }} Extension
 */
/** @typedef {(root: HTMLElement, store: Store, cursor: CursorState) => Extension} Extend */

const VIEWS = ["player", "matching", "kernels", "timeline"];

/**
 * @param {Context} context
 * @param {{ label?: string, extend?: Extend }} more
 */
export async function buildWorkbench({ model, el, host, signal }, { label = "Workbench", extend } = {}) {
  const { cursor, store } = await shared({ model, host });
  const root = h("section", { class: "dkd dkd-workbench", "aria-label": label });
  const grid = h("div", { class: "dkd-grid" });
  const extension = extend?.(root, store, cursor);
  const copier = buildCopy(model, cursor, signal);
  const policy = buildPolicy(model, signal);
  /** @type {Actions} */
  const own = {
    help: () => {
      help.hidden = !help.hidden;
    },
    copy: () => copier.copy(),
    latency: () => {
      title.toggleLatency();
      store.schedule();
    },
    reinitialise: () => policy.toggle(),
    ...extension?.own,
  };
  if (extension) delete own.reinitialise;
  const help = buildHelp({ ...actions(root, store, cursor), ...own });
  const act = keys(root, store, cursor, signal, own);
  const title = buildTitle(store, act, extension ? h("span") : policy.element);
  root.append(title.element, copier.element, help, ...(extension?.above ?? []), grid, ...(extension?.below ?? []));
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

export default { render: (/** @type {Context} */ context) => buildWorkbench(context) };
