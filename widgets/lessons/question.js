// A question of a lesson: its words, an input that fits, what is said to the answer, hints, the answer.

import { h } from "../core/dom.js";
import { hideFilmstrip } from "../core/mount.js";
import { notes } from "../core/notes.js";

// `code` in backticks as <code>.
const worded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

function render({ model, el, signal }) {
  const { text, kind, options, unit, hints } = model.get("_asked");
  const name = `dkd-answer-${model.get("_filmstrip")}`;
  const inputs = {
    number: () => {
      const field = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": "Your answer" });
      return [h("label", { class: "dkd-answer" }, field, ` ${unit}`)];
    },
    choice: () =>
      options.map((option) =>
        h("label", { class: "dkd-answer" }, h("input", { type: "radio", name, value: option }), ` ${option}`),
      ),
    do: () => [h("span", { class: "dkd-muted" }, "Do it in the view, then press Check.")],
  };
  const action = (type, label, primary) =>
    h("button", { type: primary ? "submit" : "button", class: "dkd-button", "data-action": type }, label);
  const buttons = [action("check", "Check", true)];
  if (hints) buttons.push(action("hint", "Hint"));
  buttons.push(action("answer", "Show the answer"));
  const said = h("div", { class: "dkd-said", role: "status" });
  const told = h("ol", { class: "dkd-hints", "aria-label": "Hints", "aria-live": "polite" });
  const form = h(
    "form",
    {},
    h(
      "fieldset",
      {},
      h("legend", {}, ...worded(text)),
      h("div", { class: `dkd-answers dkd-answers-${kind}` }, ...inputs[kind]()),
    ),
    h("div", { class: "dkd-question-buttons" }, ...buttons),
    said,
    told,
  );
  const root = h("section", { class: "dkd dkd-question", "aria-label": "Question" }, form);
  root.dataset.lmSuppressShortcuts = "true"; // a letter typed here is no command of JupyterLab's
  notes(root, model, signal);
  el.append(root);
  hideFilmstrip(model.get("_filmstrip"), signal);

  const value = () => form.querySelector("input[type=text], input:checked")?.value ?? null;
  const busy = (on) => buttons.forEach((button) => button.setAttribute("aria-disabled", on));
  const ask = (type) => {
    if (buttons[0].getAttribute("aria-disabled") === "true") return;
    busy(true);
    said.replaceChildren(...(type === "check" ? ["Checking …"] : said.childNodes));
    model.send({ type, value: value() });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("check");
  });
  for (const button of buttons.slice(1)) button.addEventListener("click", () => ask(button.dataset.action));
  form.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());

  const paint = () => {
    const { state, label, text: words, hints: shown } = model.get("_said");
    if (!state) return;
    root.dataset.state = state;
    said.dataset.label = label;
    said.replaceChildren(...(label ? [h("b", {}, `${label}.`), " "] : []), ...worded(words));
    told.replaceChildren(...shown.map((hint) => h("li", {}, ...worded(hint))));
    const button = buttons.find((b) => b.dataset.action === "hint");
    if (!button) return;
    button.textContent = shown.length ? `Hint ${Math.min(shown.length + 1, hints)} of ${hints}` : "Hint";
    if (shown.length === hints && document.activeElement === button) buttons[0].focus();
    button.hidden = shown.length === hints;
  };
  const done = () => {
    busy(false);
    paint(); // also where nothing has changed: it is said again
  };
  model.on("msg:custom", done);
  model.on("change:_said", paint);
  signal.addEventListener("abort", () => {
    model.off("msg:custom", done);
    model.off("change:_said", paint);
    root.remove();
  });
  paint();
}

export default { render };
