// The workbench: title bar, the four views in one grid, help, notes.

import { h } from "../core/dom.js";
import { buildFullscreen } from "../core/fullscreen.js";
import { actions, keys } from "../core/keys.js";
import { expose, keepStill, shared } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { watchRoom } from "../core/room.js";
import { coverUntilKnown } from "../core/starting.js";
import { followTheme } from "../core/theme.js";
import { buildCopy } from "./copy.js";
import { buildExportButton } from "./export_button.js";
import { buildGrowing } from "./growing.js";
import { buildHelp } from "./help.js";
import { buildPolicy } from "./policy.js";
import { revealOnRequest } from "./reveal.js";
import { buildTitle } from "./title.js";

/** @import { Actions, Context } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */

/**
 * What a view that is more than a workbench adds: actions of the shortcuts, and elements above and below the grid. It
 * shows each run unchanged, so it has no switch for re-initialisation. Actions that it is `without` have no button.
 * @typedef {{ own: Actions, without?: string[], above: Node[], below: Node[] }} Extension
 */
/** @typedef {(root: HTMLElement, store: Store, cursor: CursorState) => Extension} Extend */

/**
 * A place for each of the four views. The style sheet puts them where the room is: `below` and `maps` are boxes of their
 * own, which scroll, only where there is no place for all of it next to the player.
 */
function buildPlaces() {
  const place = (/** @type {string} */ name) => h("div", { class: `dkd-area dkd-area-${name}` });
  const places = { player: place("player"), matching: place("matching"), kernels: place("kernels") };
  const all = { ...places, timeline: place("timeline") };
  const maps = h("div", { class: "dkd-maps" }, all.matching, all.kernels);
  const grid = h("div", { class: "dkd-grid" }, all.player, h("div", { class: "dkd-below" }, maps, all.timeline));
  return { grid, all };
}

/**
 * @param {Context} context
 * @param {{ label?: string, extend?: Extend }} more
 */
export async function buildWorkbench({ model, el, host, signal }, { label = "Workbench", extend } = {}) {
  const { cursor, store } = await shared({ model, host });
  const root = h("section", { class: "dkd dkd-workbench", "aria-label": label });
  const places = buildPlaces();
  const extension = extend?.(root, store, cursor);
  const copier = buildCopy(model, cursor, signal);
  const policy = buildPolicy(model, signal);
  const full = buildFullscreen(root, signal);
  const exports = buildExportButton(model, cursor, signal);
  const base = actions(root, store, cursor);
  /** @type {Actions} */
  const own = {
    help: () => help.toggle(),
    fullscreen: () => full.toggle(),
    copy: () => copier.copy(),
    latency: () => {
      title.toggleLatency();
      store.schedule();
    },
    reinitialise: () => policy.toggle(),
    ...extension?.own,
    clear: (argument) => {
      if (exports.close()) return;
      if (help.isOpen()) help.toggle();
      else (extension?.own.clear ?? base.clear)(argument);
    },
  };
  if (extension) for (const name of ["reinitialise", ...(extension.without ?? [])]) delete own[name];
  const help = buildHelp({ ...base, ...own });
  const act = keys(root, store, cursor, signal, own);
  const title = buildTitle(store, act, extension ? [] : [policy.element], [...exports.buttons, full.button]);
  const [above, below] = [extension?.above ?? [], extension?.below ?? []];
  const growing = buildGrowing(model, signal);
  root.append(title.element, exports.element, copier.element, help.element, ...above, places.grid, growing, ...below);
  const note = notes(root, model, signal);
  el.append(root);
  followTheme(root, signal);
  watchRoom(root, signal);
  expose(root, store, cursor);
  keepStill(model, store, signal);
  coverUntilKnown(root, store, signal);
  store.attach(cursor);
  revealOnRequest(root, store, model, signal);
  store.add({ ...title, status: (text) => note.say(text) }, signal);
  await Promise.all(
    Object.entries(places.all).map(async ([name, place]) => {
      const widget = await host.getWidget(model.get(`_${name}`));
      await widget.render({ el: place, signal });
    }),
  );
  signal.addEventListener("abort", () => root.remove());
}

export default { render: (/** @type {Context} */ context) => buildWorkbench(context) };
