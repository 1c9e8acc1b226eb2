// A question of a lesson: its words, an input that fits, what is said to the answer, hints, the answer.

import { focusedIn, h } from "../core/dom.js";
import { hideStill, listen } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { followTheme } from "../core/theme.js";

/** @import { Context } from "../core/types.d.ts" */

/**
 * What is asked; see lessons.py.
 * @typedef {{ text: string, kind: "number" | "choice" | "do", options: string[], unit: string, hints: number }} Asked
 */

/**
 * `code` in backticks as <code>.
 * @param {string} text
 */
const worded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

/**
 * @param {Asked} asked
 * @param {string} name of the group of radio buttons
 */
function buildInputs({ kind, options, unit }, name) {
  if (kind === "do") return [h("span", { class: "dkd-muted" }, "Do it in the view, then press Check.")];
  if (kind === "choice")
    return options.map((option) =>
      h("label", { class: "dkd-answer" }, h("input", { type: "radio", name, value: option }), ` ${option}`),
    );
  const field = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": "Your answer" });
  return [h("label", { class: "dkd-answer" }, field, ` ${unit}`)];
}

/**
 * The form, and its parts that change.
 * @param {Asked} asked
 * @param {string} name
 */
function buildForm(asked, name) {
  const action = (/** @type {string} */ type, /** @type {string} */ label, isPrimary = false) =>
    h("button", { type: isPrimary ? "submit" : "button", class: "dkd-button", "data-action": type }, label);
  const check = action("check", "Check", true);
  const hint = asked.hints ? action("hint", "Hint") : null;
  const buttons = [check, ...(hint ? [hint] : []), action("answer", "Show the answer")];
  const said = h("div", { class: "dkd-said", role: "status" });
  const told = h("ol", { class: "dkd-hints", "aria-label": "Hints", "aria-live": "polite" });
  const inputs = h("div", { class: `dkd-answers dkd-answers-${asked.kind}` }, ...buildInputs(asked, name));
  const form = h(
    "form",
    {},
    h("fieldset", {}, h("legend", {}, ...worded(asked.text)), inputs),
    h("div", { class: "dkd-question-buttons" }, ...buttons),
    said,
    told,
  );
  return { form, buttons, check, hint, said, told };
}

/** @param {Context} context */
function render({ model, el, signal }) {
  /** @type {Asked} */
  const asked = model.get("_asked");
  const { form, buttons, check, hint, said, told } = buildForm(asked, `dkd-answer-${model.get("_filmstrip")}`);
  const root = h(
    "section",
    { class: "dkd dkd-question", "aria-label": `Question: ${asked.text.replaceAll("`", "")}` },
    form,
  );
  root.dataset.lmSuppressShortcuts = "true"; // a letter typed here is no command of JupyterLab's
  notes(root, model, signal);
  el.append(root);
  followTheme(root, signal);
  hideStill(model, ["change:_said", "msg:custom"], signal);

  const value = () => {
    const input = form.querySelector("input[type=text], input:checked");
    return input instanceof HTMLInputElement ? input.value : null;
  };
  const busy = (/** @type {boolean} */ on) => {
    for (const button of buttons) button.setAttribute("aria-disabled", String(on));
  };
  const ask = (/** @type {string | undefined} */ type) => {
    if (check.getAttribute("aria-disabled") === "true") return;
    busy(true);
    if (type === "check") said.replaceChildren("Checking …");
    model.send({ type, value: value() });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("check");
  });
  for (const button of buttons.slice(1)) button.addEventListener("click", () => ask(button.dataset.action));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") event.stopPropagation();
  });

  const paint = () => {
    const { state, label, text, hints } = model.get("_said");
    if (!state) return;
    root.dataset.state = state;
    said.dataset.label = label;
    said.replaceChildren(...(label ? [h("b", {}, `${label}.`), " "] : []), ...worded(text));
    told.replaceChildren(...hints.map((/** @type {string} */ words) => h("li", {}, ...worded(words))));
    if (!hint) return;
    const isLast = hints.length === asked.hints;
    hint.textContent = hints.length ? `Hint ${Math.min(hints.length + 1, asked.hints)} of ${asked.hints}` : "Hint";
    if (isLast && focusedIn(hint) === hint) check.focus();
    hint.hidden = isLast;
  };
  const done = () => {
    busy(false);
    paint(); // also where nothing has changed: it is said again
  };
  listen(model, ["msg:custom"], done, signal);
  listen(model, ["change:_said"], paint, signal);
  signal.addEventListener("abort", () => root.remove());
  paint();
}

export default { render };
