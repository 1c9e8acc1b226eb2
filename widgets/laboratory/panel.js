// The interventions: choose one, fill it in, apply it; and the list of what was done. A part of the laboratory.

import { copyText } from "../core/clipboard.js";
import { h } from "../core/dom.js";
import { readable } from "../core/text.js";

const GROUPS = ["Kernel", "Input", "State"];

// The forms (widgets/laboratory/forms.py); send(steps) asks the kernel. Returns {element, header(h), frame(t), box(),
// setBox(values)}: the rectangle to cover, as text, where the form has one.
export function buildPanel(model, cursor, send) {
  const forms = model.get("_forms");
  let form = forms[0];
  let inputs = []; // [{field, values()}]
  let header = null;
  const chips = new Map();
  const groups = GROUPS.map((name) => {
    const mine = forms.filter((one) => one.group === name);
    for (const one of mine)
      chips.set(one.key, h("button", { class: "dkd-chip", title: one.help, onclick: () => choose(one) }, one.label));
    const buttons = h("div", {}, ...mine.map((one) => chips.get(one.key)));
    const group = { class: "dkd-chips", role: "group", "aria-label": name, hidden: !mine.length };
    return h("div", group, h("h4", {}, name), buttons);
  });
  const help = h("p", {});
  const fields = h("div", { class: "dkd-lab-fields" });
  const apply = h("button", { class: "dkd-button", type: "submit" }, "Apply");
  const element = h(
    "div",
    { class: "dkd-panel dkd-lab-panel" },
    h("header", {}, h("h3", {}, "Change one thing")),
    ...groups,
    h(
      "form",
      {
        class: "dkd-lab-form",
        "aria-label": "Intervention",
        onsubmit: (event) => {
          event.preventDefault();
          send([step()]);
        },
      },
      help,
      fields,
      apply,
    ),
  );

  function choose(one) {
    form = one;
    for (const [key, chip] of chips) chip.setAttribute("aria-pressed", key === form.key);
    help.textContent = form.help;
    inputs = form.fields.map(build);
    fields.replaceChildren(...inputs.map(({ element }) => element));
    frame(cursor.get("frame"));
  }

  // A field's element, and values() → what its arguments are.
  function build(field) {
    const label = (...content) => h("label", {}, h("span", {}, field.label), ...content);
    if (field.kind === "box") {
      const parts = ["x0", "y0", "x1", "y1"].map((name) =>
        h("input", { type: "number", step: 1, required: true, "aria-label": `${name} in pixels`, placeholder: name }),
      );
      const read = () => ({ [field.name]: parts.map((part) => Number(part.value)) });
      const element = h("div", { class: "dkd-lab-box" }, h("span", {}, field.label), ...parts);
      return { field, parts, values: read, element };
    }
    if (["joint", "joint_or_all", "trace"].includes(field.kind)) {
      const joints = cursor.get("joint_names");
      const names = field.kind === "trace" ? model.get("_others") : joints;
      const options = names.map((name) => h("option", { value: name }, readable(name)));
      if (field.kind === "joint_or_all") options.unshift(h("option", { value: "" }, "all joints"));
      const select = h("select", { "aria-label": field.label }, ...options);
      if (field.kind !== "trace") select.value = cursor.get("joint");
      if (field.name === "other" && field.kind === "joint") {
        const [a, b] = ["left_", "right_"];
        const mine = cursor.get("joint");
        const twin = mine.startsWith(a) ? mine.replace(a, b) : mine.replace(b, a);
        select.value = twin !== mine && joints.includes(twin) ? twin : joints.find((name) => name !== mine);
      }
      return { field, values: () => (select.value ? { [field.name]: select.value } : {}), element: label(select) };
    }
    const input = h("input", {
      type: "number",
      step: field.kind === "number" ? "any" : 1,
      "aria-label": field.label,
      placeholder: field.kind === "count" ? "to the end" : "",
      required: field.kind === "number",
      ...(field.low !== null && { min: field.low }),
    });
    input.value = field.default ?? "";
    const follows = field.kind === "frame";
    const read = () => (input.value === "" && follows ? cursor.get("frame") : Number(input.value));
    const values = () => (field.kind === "count" ? {} : { [field.name]: read() });
    return { field, input, follows, values, element: label(input) };
  }

  // The form as {name, arguments}; a number of frames becomes the first frame after them.
  function step() {
    const given = Object.assign({}, form.fixed, ...inputs.map((one) => one.values()));
    const count = inputs.find(({ field }) => field.kind === "count");
    if (count) {
      const first = given.start ?? given.frame;
      const stop = first + Number(count.input.value);
      given.stop = count.input.value === "" ? null : Math.min(stop, Math.max(header.n_frames, first + 1));
    }
    return { name: form.method, arguments: given };
  }

  // What is empty follows the cursor.
  function frame(t) {
    for (const { input, follows } of inputs) if (follows) input.placeholder = `${t}`;
  }

  choose(form);
  return {
    element,
    frame,
    header: (given) => (header = given),
    box: () => inputs.find(({ field }) => field.kind === "box")?.parts.map((part) => part.value),
    setBox(values) {
      const covering = forms.find((one) => one.fields.some((field) => field.kind === "box"));
      if (form !== covering) choose(covering);
      inputs.find(({ field }) => field.kind === "box").parts.forEach((part, k) => (part.value = values[k]));
    },
  };
}

// What was done, newest first, with undo, redo, clear and copy. act(name) asks the kernel.
export function buildDone(root, act) {
  const button = (text, label, onclick) => h("button", { class: "dkd-button", title: label, onclick }, text);
  const buttons = {
    undo: button("Undo", "Undo the last step (Ctrl+Z)", () => act("undo")),
    redo: button("Redo", "Redo (Ctrl+Shift+Z)", () => act("redo")),
    clear: button("Clear", "Take all interventions away; can be undone", () => act("clear")),
  };
  const copied = h("span", { class: "dkd-muted", role: "status" });
  const copy = button("Copy as Python", "The line that makes this run of the first one", async () => {
    copied.textContent = (await copyText(code, root)) ? "copied" : "press Ctrl+C to copy";
    setTimeout(() => (copied.textContent = ""), 4000);
  });
  const label = "What was done, newest first";
  const list = h("ol", { class: "dkd-lab-calls", reversed: true, "aria-label": label, tabindex: 0 });
  const none = h("p", {}, "Nothing yet. Choose an intervention, paint on a kernel, or drag over “what if”.");
  let code = "";
  const element = h(
    "div",
    { class: "dkd-panel dkd-lab-done" },
    h("header", {}, h("h3", {}, "Done")),
    none,
    list,
    h("div", { class: "dkd-row" }, ...Object.values(buttons), copy, copied),
  );
  return {
    element,
    update(effect) {
      code = effect.code;
      none.hidden = effect.calls.length > 0;
      list.hidden = !none.hidden;
      const lines = effect.calls.map((call) => h("li", { title: call }, h("code", {}, call)));
      list.replaceChildren(...lines.reverse());
      buttons.undo.disabled = !effect.undo;
      buttons.redo.disabled = !effect.redo;
      buttons.clear.disabled = copy.disabled = !effect.calls.length;
    },
  };
}
