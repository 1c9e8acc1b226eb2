// A gallery of moments: sorted and filtered here, without the kernel; a click or Enter opens one in the workbench.

import { copyText } from "../core/clipboard.js";
import { focusedIn, h } from "../core/dom.js";
import { listen } from "../core/mount.js";
import { readable } from "../core/text.js";
import { followTheme } from "../core/theme.js";
import { nextTile, optionsOf, shownItems } from "./moments.js";
import { buildTile } from "./tile.js";

/** @import { Context, Model } from "../core/types.d.ts" */
/** @import { Item, Sort } from "./moments.js" */

const SAID_MS = 2000;

/** @param {Context} context */
function render({ model, el, signal }) {
  /** @type {Record<string, string>} */
  const sorts = model.get("_sorts");
  /** @type {Record<string, string>} */
  const filters = model.get("_filters");
  let sortKey = /** @type {Sort} */ (Object.keys(sorts)[0]);
  /** @type {Record<string, string>} */
  const chosen = {};
  /** @type {string | null} */
  let focused = null; // the tile that Tab goes to
  const pictures = buildPictures(signal);
  const items = () => /** @type {Item[]} */ (model.get("_items"));
  const sort = picker("Sort by", Object.entries(sorts), (value) => {
    sortKey = /** @type {Sort} */ (value);
    paint();
  });
  const pickers = Object.entries(filters).map(([name, label]) => ({
    name,
    ...picker(label, [], (value) => {
      chosen[name] = value;
      paint();
    }),
  }));
  const count = h("span", { class: "dkd-muted dkd-gallery-count", role: "status" });
  const list = h("div", { class: "dkd-gallery-list", role: "list", "aria-label": "The worst moments" });
  const root = h(
    "section",
    { class: "dkd dkd-gallery", "aria-label": "Where it fails" },
    h("div", { class: "dkd-gallery-bar" }, sort.element, ...pickers.map(({ element }) => element), count),
    list,
  );
  root.append(...buildWords(model, root, signal));
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  followTheme(root, signal);

  const tiles = () => /** @type {HTMLButtonElement[]} */ ([...list.querySelectorAll(".dkd-moment")]);
  const open = (/** @type {string} */ key) => {
    focused = key;
    model.send({ type: "open", key });
  };

  function paint() {
    const shown = shownItems(items(), chosen, sortKey);
    const hadFocus = list.contains(focusedIn(list));
    if (!shown.some((item) => item.key === focused)) focused = shown[0]?.key ?? null;
    const given = { unit: model.get("_unit"), opened: model.get("_opened"), focused, open, url: pictures.url };
    list.replaceChildren(...shown.map((item) => h("div", { role: "listitem" }, buildTile(item, given))));
    count.textContent = items().length ? `${shown.length} of ${items().length} moments` : "nothing to show yet";
    if (hadFocus)
      tiles()
        .find((tile) => tile.tabIndex === 0)
        ?.focus({ preventScroll: true });
  }

  const onKey = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation(); // not JupyterLab's
    const all = tiles();
    const here = all.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    if (here < 0) return;
    const perRow = all.filter((tile) => tile.offsetTop === all[0].offsetTop).length;
    const next = nextTile(event.key, here, all.length, perRow);
    if (next === undefined) return;
    event.preventDefault();
    if (!all[next]) return;
    all[here].tabIndex = -1;
    all[next].tabIndex = 0;
    focused = all[next].dataset.key ?? null;
    all[next].focus();
  };
  root.addEventListener("keydown", onKey, { signal });

  const onItems = () => {
    for (const { name, element, set } of pickers) {
      const values = optionsOf(items(), name);
      if (!values.includes(chosen[name])) chosen[name] = ""; // what is chosen stays while it is there
      set([["", "all"], ...values.map((value) => /** @type {const} */ ([value, readable(value)]))], chosen[name]);
      element.hidden = values.length < 2;
    }
    pictures.update(items());
    paint();
  };
  const onOpened = () => {
    for (const tile of tiles())
      if (tile.dataset.key === model.get("_opened")) tile.setAttribute("aria-current", "true");
      else tile.removeAttribute("aria-current");
  };
  listen(model, ["change:_items"], onItems, signal);
  listen(model, ["change:_opened"], onOpened, signal);
  signal.addEventListener("abort", () => root.remove());
  onItems();
}

/**
 * The pictures of the items that are there, with addresses in the browser.
 * @param {AbortSignal} signal
 */
function buildPictures(signal) {
  /** @type {Map<string, string>} */
  const urls = new Map();
  signal.addEventListener("abort", () => {
    for (const url of urls.values()) URL.revokeObjectURL(url);
  });
  return {
    url: (/** @type {string} */ key) => urls.get(key),
    /** @param {Item[]} items */
    update(items) {
      const keys = new Set(items.map((item) => item.key));
      for (const [key, url] of urls) {
        if (keys.has(key)) continue;
        URL.revokeObjectURL(url);
        urls.delete(key);
      }
      for (const { key, picture } of items)
        if (!urls.has(key)) urls.set(key, URL.createObjectURL(new Blob([picture], { type: "image/jpeg" })));
    },
  };
}

/**
 * Below the tiles: a message, and the line of Python that opens the same.
 * @param {Model} model
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
function buildWords(model, root, signal) {
  const message = h("div", { class: "dkd-gallery-message", role: "status", hidden: true });
  const code = h("code");
  const copied = h("span", { class: "dkd-muted", role: "status" });
  const copyCode = async () => {
    copied.textContent = (await copyText(model.get("_code"), root)) ? "copied" : "press Ctrl-C";
    setTimeout(() => {
      copied.textContent = "";
    }, SAID_MS);
  };
  const copy = h("button", { class: "dkd-button", title: "Copy this line", onclick: copyCode }, "Copy as Python");
  const line = h("div", { class: "dkd-gallery-code", hidden: true }, code, copy, copied);
  const update = () => {
    message.textContent = model.get("_message");
    message.hidden = !message.textContent;
    code.textContent = model.get("_code").split("\n\n").at(-1); // what is copied has the imports, too
    line.hidden = !code.textContent;
  };
  listen(model, ["change:_message", "change:_code"], update, signal);
  update();
  return [message, line];
}

/**
 * A label and a list to pick from. set() gives it other choices, and the one that is chosen.
 * @param {string} label
 * @param {(readonly [string, string])[]} choices value and text
 * @param {(value: string) => void} changed
 */
function picker(label, choices, changed) {
  const select = h("select", { "aria-label": label, onchange: () => void changed(select.value) });
  const set = (/** @type {(readonly [string, string])[]} */ pairs, /** @type {string} */ value) => {
    select.replaceChildren(...pairs.map(([v, text]) => h("option", { value: v }, text)));
    select.value = value;
  };
  set(choices, choices[0]?.[0] ?? "");
  return { element: h("label", { class: "dkd-pick" }, h("span", { class: "dkd-muted" }, label), select), set };
}

export default { render };
