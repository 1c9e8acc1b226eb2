// Above the figure of a study: its axes, the means in words, what can be saved, and a paragraph to copy.

import { copyText } from "../core/clipboard.js";
import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";
import { followTheme } from "../core/theme.js";

/** @import { Context } from "../core/types.d.ts" */

/** @param {Context} context */
function render({ model, el, signal }) {
  const by = h("select", { "aria-label": "Groups", title: "The groups that are compared" });
  const measure = h("select", { "aria-label": "Measure", title: "What is compared" });
  const send = () => model.send({ type: "axes", by: by.value, measure: measure.value });
  for (const select of [by, measure]) select.addEventListener("change", send, { signal });
  const kind = h("select", { "aria-label": "What to save", title: "What to save" });
  const save = () => model.send({ type: "export", kind: kind.value });
  const label = "Save the table, the figure or the methods paragraph";
  const button = h("button", { class: "dkd-button", title: label, "aria-label": label, onclick: save }, "Save");
  const said = h("span", { class: "dkd-muted", role: "status" });
  const sentence = h("div", { class: "dkd-study-means" });
  const paragraph = h("p", { class: "dkd-study-paragraph" });
  const copy = h("button", { class: "dkd-button" }, "Copy");
  const methods = h("div", { class: "dkd-study-methods" }, paragraph, copy);
  const axes = h("label", { class: "dkd-study-axes" }, "of", by);
  const root = h(
    "section",
    { class: "dkd dkd-study-groups", "aria-label": "Groups of the study" },
    h("header", {}, h("h3", {}, "Distribution"), measure, axes, h("span", { class: "dkd-space" }), said, kind, button),
    methods,
    sentence,
  );
  copy.addEventListener("click", () => copyText(model.get("_paragraph"), root), { signal });
  root.dataset.lmSuppressShortcuts = "true";
  root.addEventListener("keydown", (event) => event.stopPropagation(), { signal }); // not JupyterLab's
  el.append(root);
  followTheme(root, signal);

  /**
   * @param {HTMLSelectElement} select
   * @param {[string, string][]} options
   * @param {string} value
   */
  const fill = (select, options, value) => {
    select.replaceChildren(...options.map(([name, text]) => h("option", { value: name }, text)));
    select.value = value;
  };
  const onAxes = () => {
    fill(by, model.get("_groups"), model.get("_by"));
    fill(measure, model.get("_measures"), model.get("_measure"));
    sentence.textContent = model.get("_sentence");
  };
  const onWords = () => {
    said.textContent = model.get("_said");
    paragraph.textContent = model.get("_paragraph");
    methods.hidden = !paragraph.textContent;
  };
  listen(model, ["change:_groups", "change:_measures", "change:_by", "change:_measure"], onAxes, signal);
  listen(model, ["change:_sentence"], onAxes, signal);
  listen(model, ["change:_said", "change:_paragraph"], onWords, signal);
  signal.addEventListener("abort", () => root.remove());
  fill(kind, model.get("_kinds"), model.get("_kinds")[0][0]);
  onAxes();
  onWords();
}

export default { render };
