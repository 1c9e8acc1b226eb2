// The interventions: choose one, fill it in, apply it. A part of the laboratory.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Header } from "../core/types.d.ts" */
/** @import { Built } from "./fields.js" */
/** @import { Form, Step } from "./step.js" */

import { h } from "../core/dom.js";
import { buildField } from "./fields.js";
import { stepOf } from "./step.js";

const GROUPS = ["Kernel", "Input", "State"];

/**
 * @param {object} options
 * @param {Form[]} options.forms as in forms.py
 * @param {string[]} options.others names of other runs
 * @param {CursorState} options.cursor
 * @param {(steps: Step[]) => void} options.send asks the kernel
 */
export function buildPanel({ forms, others, cursor, send }) {
  let form = forms[0];
  /** @type {Built[]} */
  let fields = [];
  let frames = 1; // of the clip
  const chips = new Map(forms.map((one) => [one, buildChip(one, () => choose(one))]));
  const help = h("p", {});
  const place = h("div", { class: "dkd-lab-fields" });
  const element = h(
    "div",
    { class: "dkd-panel dkd-lab-panel" },
    h("header", {}, h("h3", {}, "Change one thing")),
    ...GROUPS.map((name) => {
      const mine = forms.filter((one) => one.group === name).map((one) => /** @type {Node} */ (chips.get(one)));
      const group = { class: "dkd-chips", role: "group", "aria-label": name, hidden: !mine.length };
      return h("div", group, h("h4", {}, name), h("div", {}, ...mine));
    }),
    h(
      "form",
      {
        class: "dkd-lab-form",
        "aria-label": "Intervention",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          send([step()]);
        },
      },
      help,
      place,
      h("button", { class: "dkd-button", type: "submit" }, "Apply"),
    ),
  );

  /** @param {Form} one */
  function choose(one) {
    form = one;
    for (const [other, chip] of chips) chip.setAttribute("aria-pressed", String(other === form));
    help.textContent = form.help;
    fields = form.fields.map((field) => buildField(field, cursor, others));
    place.replaceChildren(...fields.map((field) => field.element));
    follow(cursor.get("frame"));
  }

  function step() {
    const given = Object.assign({}, ...fields.map((field) => field.values()));
    const count = fields.find((field) => field.count)?.count;
    return stepOf(form, given, count ? count.value : null, frames);
  }

  // Fields for a frame that are empty show the cursor's.
  /** @param {number} frame */
  function follow(frame) {
    for (const { follows } of fields) if (follows) follows.placeholder = String(frame);
  }

  const corners = () => fields.find((field) => field.box)?.box;

  choose(form);
  return {
    element,
    follow,
    /** @param {Header} header */
    header(header) {
      frames = header.n_frames;
    },
    // The rectangle to cover, as text, where the form has one.
    box: () => corners()?.map((input) => input.value),
    /** @param {number[]} values */
    setBox(values) {
      const covering = forms.find((one) => one.fields.some((field) => field.kind === "box"));
      if (covering && form !== covering) choose(covering);
      corners()?.forEach((input, k) => {
        input.value = String(values[k]);
      });
    },
  };
}

/** @type {(form: Form, onclick: () => void) => HTMLElement} */
const buildChip = (form, onclick) => h("button", { class: "dkd-chip", title: form.help, onclick }, form.label);
