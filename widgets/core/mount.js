// Connects a view with the cursor and the feed that it shares.

import { h } from "./dom.js";
import { buildFullscreen } from "./fullscreen.js";
import { keys } from "./keys.js";
import { notes } from "./notes.js";
import { watchRoom } from "./room.js";
import { coverUntilKnown } from "./starting.js";
import { followTheme, watchTheme } from "./theme.js";

/** @import { Context, Model, View } from "./types.d.ts" */
/** @import { CursorState } from "./cursor.js" */
/** @import { Store } from "./store.js" */

/**
 * Builds a view's page and returns what paints it.
 * @callback Build
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 * @returns {View}
 */

/**
 * The cursor and the store that a view shares.
 * @param {Pick<Context, "model" | "host">} context
 * @returns {Promise<{ cursor: CursorState, store: Store }>}
 */
export async function shared({ model, host }) {
  const widgets = await Promise.all([host.getWidget(model.get("_cursor")), host.getWidget(model.get("_feed"))]);
  return { cursor: widgets[0].exports.cursor, store: widgets[1].exports.store };
}

/**
 * Make a view's root, connect it, and keep it painted; a change of the theme paints again.
 * @param {Context} context
 * @param {string} name
 * @param {string} label
 * @param {Build} build
 */
export async function mount({ model, el, host, signal }, name, label, build) {
  const { cursor, store } = await shared({ model, host });
  const run = model.get("_run_name"); // of one of several on a page from a file
  const root = h("section", { class: `dkd dkd-${name}`, "aria-label": run ? `${label}, ${run}` : label });
  el.append(root);
  followTheme(root, signal);
  const isAlone = !el.closest(".dkd-workbench");
  if (isAlone) coverUntilKnown(root, store, signal);
  const view = build(root, store, cursor, signal);
  if (isAlone) {
    keepStill(model, store, signal);
    const note = notes(root, model, signal);
    view.status = (text) => note.say(text);
    watchRoom(root, signal);
    keys(root, store, cursor, signal, { fullscreen: buildFullscreen(root, signal).toggle });
  }
  store.attach(cursor);
  store.add(view, signal);
  watchTheme(() => store.schedule(), signal);
  signal.addEventListener("abort", () => root.remove());
  expose(root, store, cursor);
  return root;
}

/**
 * Let tests and a curious console find what a view shows.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 */
export function expose(root, store, cursor) {
  Object.assign(root, { dkd: { store, cursor } });
}

/**
 * While a widget lives, the filmstrip that its cell left is hidden.
 * @param {string} name
 * @param {AbortSignal} signal
 */
export function hideFilmstrip(name, signal) {
  const style = h("style");
  style.textContent = `[data-dkd-filmstrip="${name}"] { display: none; }`;
  document.head.append(style);
  signal.addEventListener("abort", () => style.remove());
}

/**
 * Hide the still picture of a widget that shows no trace: with a kernel now, else at the first that Python says, since
 * in an exported page nobody answers, and the widget is an empty shell.
 * @param {Model} model
 * @param {string[]} events what Python says
 * @param {AbortSignal} signal
 */
export function hideStill(model, events, signal) {
  const hide = () => {
    for (const event of events) model.off(event, hide);
    hideFilmstrip(model.get("_filmstrip"), signal);
  };
  if (model.widget_manager?.kernel) hide();
  else listen(model, events, hide, signal);
}

/**
 * Hide the filmstrip once the view has something to show: with a kernel now, since it then says what it waits for; else,
 * as in an exported page, when the first frame is painted, if there ever is one.
 * @param {Model} model
 * @param {Store} store
 * @param {AbortSignal} signal
 */
export function keepStill(model, store, signal) {
  const hide = () => hideFilmstrip(model.get("_filmstrip"), signal);
  if (model.widget_manager?.kernel) {
    hide();
    return;
  }
  const view = {
    header() {},
    paint() {
      store.views.delete(view);
      hide();
    },
  };
  store.add(view, signal);
}

/**
 * Call back at changes of a model until the signal ends it.
 * @param {Model} model
 * @param {string[]} events
 * @param {(...given: any[]) => void} callback
 * @param {AbortSignal} signal
 */
export function listen(model, events, callback, signal) {
  for (const event of events) model.on(event, callback);
  signal.addEventListener("abort", () => {
    for (const event of events) model.off(event, callback);
  });
}
