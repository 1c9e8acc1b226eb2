// The head of a panel: what goes on, in words and as a bar; errors; a kernel that is gone.

import { h } from "../core/dom.js";
import { hideStill, listen } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { followTheme } from "../core/theme.js";

/** @import { Context, Model } from "../core/types.d.ts" */

const LEAST_PX = 20; // smaller changes of the width are not told

/** @param {Context} context */
function render({ model, el, signal }) {
  const { label, bar: counted, kind } = model.get("_about");
  const word = h("strong", { class: "dkd-state" });
  const facts = h("span", { class: "dkd-facts" });
  const bar = h("progress", { class: "dkd-progress", "aria-label": counted, max: 1, value: 0 });
  const announced = h("div", { class: "dkd-unseen", role: "status" }); // states only: numbers would never stop
  const root = h(
    "section",
    { class: `dkd dkd-panel-head dkd-${kind}-head`, "aria-label": label },
    h("div", { class: "dkd-training-line" }, h("span", { class: "dkd-lamp" }), word, facts),
    bar,
    announced,
  );
  notes(root, model, signal);
  el.append(root);
  followTheme(root, signal);
  hideStill(model, ["change:_shown"], signal);
  const fact = (/** @type {[string, string]} */ [name, value]) =>
    h("span", { class: "dkd-fact" }, h("span", { class: "dkd-muted" }, `${name} `), h("b", {}, value));
  const paint = () => {
    const { state, text, facts: numbers, done, of } = model.get("_shown");
    root.dataset.state = state;
    root.dataset.done = done;
    word.textContent = text;
    if (announced.textContent !== text) announced.textContent = text;
    facts.replaceChildren(...numbers.map(fact));
    bar.max = Math.max(1, of);
    bar.value = done;
  };
  listen(model, ["change:_shown"], paint, signal);
  watchWidth(root, model, signal);
  followPanel(root, signal);
  signal.addEventListener("abort", () => root.remove());
  paint();
}

/**
 * Plotly redraws when the window's size changes, and only then; here the panel's own width counts, and a part that is
 * unfolded has had none before. Python is told the width, too: how plots stand may depend on it.
 * @param {HTMLElement} root
 * @param {Model} model
 * @param {AbortSignal} signal
 */
function watchWidth(root, model, signal) {
  let told = 0;
  const observer = new ResizeObserver(() => {
    window.dispatchEvent(new Event("resize"));
    const width = Math.round(root.getBoundingClientRect().width);
    if (!width || Math.abs(width - told) < LEAST_PX) return;
    told = width;
    model.set("_width", width);
    model.save_changes();
  });
  observer.observe(root);
  const timer = setInterval(() => {
    const plot = root.closest(".dkd-training")?.querySelector(".js-plotly-plot");
    if (!plot?.parentElement) return;
    clearInterval(timer);
    observer.observe(plot.parentElement);
  }, 200);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    observer.disconnect();
  });
}

/**
 * What the head does for the panel around it, which is made of ipywidgets: it follows the theme, and the handles of
 * sliders of choices get a name, since ipywidgets does not connect their label with them.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
function followPanel(root, signal) {
  const name = () => {
    for (const handle of root.closest(".dkd-training")?.querySelectorAll(".noUi-handle") ?? []) {
      const label = handle.closest(".jupyter-widgets")?.querySelector(".widget-label")?.textContent;
      if (label && handle.getAttribute("aria-label") !== label) handle.setAttribute("aria-label", label);
    }
  };
  const observer = new MutationObserver(name);
  const whole = () => root.closest(".dkd-training");
  const begin = () => {
    const target = whole();
    if (!target) return;
    followTheme(/** @type {HTMLElement} */ (target), signal);
    observer.observe(target, { childList: true, subtree: true });
    name();
  };
  if (whole()) begin();
  else requestAnimationFrame(begin); // the panel may be put into the page after its head
  signal.addEventListener("abort", () => observer.disconnect());
}

export default { render };
