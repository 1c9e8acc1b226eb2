// Connects a view with the cursor and the feed.

import { h } from "./dom.js";
import { keys } from "./keys.js";
import { notes } from "./notes.js";

// Make a view's root, connect it, and keep it painted. build(root, store, cursor, signal) returns the view:
// {header(h), paint(record, bitmap), status(text), needsDetail}. A change of theme paints again.
export async function mount({ model, el, host, signal }, name, label, build) {
  const [cursorWidget, feed] = await Promise.all([
    host.getWidget(model.get("_cursor")),
    host.getWidget(model.get("_feed")),
  ]);
  const { cursor } = cursorWidget.exports;
  const { store } = feed.exports;
  const root = h("section", { class: `dkd dkd-${name}`, "aria-label": label });
  el.append(root);
  const view = build(root, store, cursor, signal);
  if (!el.closest(".dkd-workbench")) {
    const note = notes(root, model, signal);
    view.status = (text) => note.say(text);
    keys(root, store, cursor, signal);
  }
  store.attach(cursor);
  store.add(view, signal);
  const theme = new MutationObserver(() => store.schedule());
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  signal.addEventListener("abort", () => {
    theme.disconnect();
    root.remove();
  });
  root.dkd = { store, cursor }; // for tests and for a curious console
  return root;
}

// While this widget lives, the filmstrip that its cell left is hidden.
export function hideFilmstrip(name, signal) {
  const style = h("style");
  style.textContent = `[data-dkd-filmstrip="${name}"] { display: none; }`;
  document.head.append(style);
  signal.addEventListener("abort", () => style.remove());
}
