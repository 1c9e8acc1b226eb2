// A gallery of moments: sorted and filtered here, without the kernel; a click or Enter opens one in the workbench.

import { copyText } from "../core/clipboard.js";
import { h } from "../core/dom.js";
import { readable } from "../core/text.js";

const SORT_KEYS = {
  error: (a, b) => (b.error ?? -1) - (a.error ?? -1),
  score: (a, b) => (a.score ?? 2) - (b.score ?? 2),
  run: (a, b) => b.run - a.run || (b.error ?? -1) - (a.error ?? -1),
  frame: (a, b) => a.frame - b.frame,
};
const percent = (share) => (share === null ? "no position" : `${(100 * share).toFixed(0)} %`);

function render({ model, el, signal }) {
  const sorts = model.get("_sorts");
  const filters = model.get("_filters");
  const state = { sort: Object.keys(sorts)[0], chosen: {}, focus: null };
  const urls = new Map(); // key → address of the picture, here in the browser
  const sort = picker("Sort by", Object.entries(sorts), (value) => change(() => (state.sort = value)));
  const chosen = Object.entries(filters).map(([name, label]) => [
    name,
    picker(label, [], (value) => change(() => (state.chosen[name] = value))),
  ]);
  const count = h("span", { class: "dkd-muted dkd-gallery-count", role: "status" });
  const list = h("div", { class: "dkd-gallery-list", role: "list", "aria-label": "The worst moments" });
  const message = h("div", { class: "dkd-gallery-message", role: "status", hidden: true });
  const code = h("code");
  const copied = h("span", { class: "dkd-muted", role: "status" });
  const copy = h("button", { class: "dkd-button", title: "Copy this line", onclick: copyCode }, "Copy as Python");
  const line = h("div", { class: "dkd-gallery-code", hidden: true }, code, copy, copied);
  const root = h(
    "section",
    { class: "dkd dkd-gallery", "aria-label": "Where it fails" },
    h("div", { class: "dkd-gallery-bar" }, sort.element, ...chosen.map(([, p]) => p.element), count),
    list,
    message,
    line,
  );
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);

  function change(act) {
    act();
    paint();
  }

  async function copyCode() {
    copied.textContent = (await copyText(model.get("_code"), root)) ? "copied" : "press Ctrl-C";
    setTimeout(() => (copied.textContent = ""), 2000);
  }

  // The choices of each filter are what there is; one that is chosen stays while it is there.
  function options() {
    const items = model.get("_items");
    for (const [name, { element, set }] of chosen) {
      const values = [...new Set(items.map((item) => item[name]))].sort();
      if (!values.includes(state.chosen[name])) state.chosen[name] = "";
      set([["", "all"], ...values.map((value) => [value, readable(value)])], state.chosen[name]);
      element.hidden = values.length < 2;
    }
  }

  function pictures() {
    const items = model.get("_items");
    const keys = new Set(items.map((item) => item.key));
    for (const [key, url] of urls) if (!keys.has(key)) (URL.revokeObjectURL(url), urls.delete(key));
    for (const { key, picture } of items)
      if (!urls.has(key)) urls.set(key, URL.createObjectURL(new Blob([picture], { type: "image/jpeg" })));
  }

  function paint() {
    const items = model.get("_items");
    const shown = items
      .filter((item) => Object.entries(state.chosen).every(([name, value]) => !value || item[name] === value))
      .sort(SORT_KEYS[state.sort]);
    const hadFocus = list.contains(document.activeElement);
    if (!shown.some((item) => item.key === state.focus)) state.focus = shown[0]?.key ?? null;
    const opened = model.get("_opened");
    list.replaceChildren(...shown.map((item) => h("div", { role: "listitem" }, tile(item, item.key === opened))));
    count.textContent = items.length ? `${shown.length} of ${items.length} moments` : "nothing to show yet";
    if (hadFocus) list.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  function tile(item, isOpen) {
    const error = `${percent(item.error)} of the ${model.get("_unit")}`;
    const where = `${item.video} · frame ${item.frame}`;
    const hidden = item.visibility === "hidden" ? " (hidden)" : "";
    const bad = item.run > 1 ? `, bad for ${item.run} frames` : "";
    const score = item.score === null ? "" : `, score ${item.score.toFixed(2)}`;
    const label =
      `${readable(item.joint)}${hidden}: ${error}, ${item.kind}; ${item.model}, ${item.data}, ${where}` +
      `${score}${bad}; labels: ${item.labels}`;
    const button = h(
      "button",
      {
        class: "dkd-moment",
        title: label,
        "aria-label": label,
        tabindex: item.key === state.focus ? "0" : "-1",
        "aria-current": isOpen ? "true" : undefined,
        onclick: () => {
          state.focus = item.key;
          model.send({ type: "open", key: item.key });
        },
      },
      h("img", { src: urls.get(item.key), alt: "", width: 224, height: 224 }),
      h("span", { class: "dkd-moment-joint" }, h("b", {}, readable(item.joint)), h("b", {}, percent(item.error))),
      h("span", {}, [hidden && "hidden", item.kind, item.run > 1 && `${item.run} frames`].filter(Boolean).join(" · ")),
      h("span", {}, where),
      h("span", { class: "dkd-moment-method" }, ...item.model.split(/(?=\+)/).flatMap((part) => [part, h("wbr")])),
      item.labels.includes("machine") ? h("span", { class: "dkd-machine" }, "machine labels") : "",
    );
    Object.assign(button.dataset, { key: item.key, error: item.error, frame: item.frame, joint: item.joint });
    return button;
  }

  // Arrow keys go from tile to tile, as they stand on the screen; Home and End to the ends.
  root.addEventListener(
    "keydown",
    (event) => {
      event.stopPropagation(); // not JupyterLab's
      const tiles = [...list.querySelectorAll(".dkd-moment")];
      const here = tiles.indexOf(event.target);
      if (here < 0) return;
      const perRow = tiles.filter((t) => t.offsetTop === tiles[0].offsetTop).length;
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow };
      const steps_to_ends = { Home: -here, End: tiles.length - 1 - here };
      const step = steps[event.key] ?? steps_to_ends[event.key];
      const next = tiles[here + step];
      if (step === undefined) return;
      event.preventDefault();
      if (!next) return;
      tiles[here].tabIndex = -1;
      next.tabIndex = 0;
      state.focus = next.dataset.key;
      next.focus();
    },
    { signal },
  );

  const onItems = () => {
    options();
    pictures();
    paint();
  };
  const onWords = () => {
    message.textContent = model.get("_message");
    message.hidden = !message.textContent;
    code.textContent = model.get("_code").split("\n\n").at(-1); // what is copied has the imports, too
    line.hidden = !code.textContent;
  };
  const onOpened = () => {
    for (const button of list.querySelectorAll(".dkd-moment"))
      if (button.dataset.key === model.get("_opened")) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
  };
  const heard = {
    "change:_items": onItems,
    "change:_message": onWords,
    "change:_code": onWords,
    "change:_opened": onOpened,
  };
  for (const [name, act] of Object.entries(heard)) model.on(name, act);
  signal.addEventListener("abort", () => {
    for (const [name, act] of Object.entries(heard)) model.off(name, act);
    for (const url of urls.values()) URL.revokeObjectURL(url);
    root.remove();
  });
  onItems();
  onWords();
}

// A label and a list to pick from. set([[value, text], …], chosen) gives it other choices.
function picker(label, choices, changed) {
  const select = h("select", { "aria-label": label, onchange: () => changed(select.value) });
  const set = (pairs, value) => {
    select.replaceChildren(...pairs.map(([v, text]) => h("option", { value: v }, text)));
    select.value = value;
  };
  set(choices, choices[0]?.[0] ?? "");
  return { element: h("label", { class: "dkd-pick" }, h("span", { class: "dkd-muted" }, label), select), set };
}

export default { render };
