// The fields of the laboratory's forms.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Field } from "./step.js" */

import { h } from "../core/dom.js";
import { readable } from "../core/text.js";
import { counterpart } from "./step.js";

/**
 * A field on the page.
 *
 * @typedef {object} Built
 * @property {HTMLElement} element
 * @property {() => Record<string, unknown>} values what it gives as arguments
 * @property {HTMLInputElement} [count] the number of frames
 * @property {HTMLInputElement[]} [box] the corners of a rectangle
 * @property {HTMLInputElement} [follows] where it is empty, it is the cursor's frame
 */

/**
 * @param {Field} field
 * @param {CursorState} cursor
 * @param {string[]} others names of other runs
 * @returns {Built}
 */
export function buildField(field, cursor, others) {
  if (field.kind === "box") return buildBox(field);
  if (field.kind === "joint" || field.kind === "joint_or_all" || field.kind === "trace")
    return buildSelect(field, cursor, others);
  return buildNumber(field, cursor);
}

/** @type {(field: Field, ...content: Node[]) => HTMLElement} */
const labelled = (field, ...content) => h("label", {}, h("span", {}, field.label), ...content);

/** @type {(field: Field) => Built} */
function buildBox(field) {
  const box = ["x0", "y0", "x1", "y1"].map((name) =>
    h("input", { type: "number", step: 1, required: true, "aria-label": `${name} in pixels`, placeholder: name }),
  );
  const element = h("div", { class: "dkd-lab-box" }, h("span", {}, field.label), ...box);
  return { element, box, values: () => ({ [field.name]: box.map((input) => Number(input.value)) }) };
}

/** @type {(field: Field, cursor: CursorState, others: string[]) => Built} */
function buildSelect(field, cursor, others) {
  /** @type {string[]} */
  const joints = cursor.get("joint_names");
  const names = field.kind === "trace" ? others : joints;
  const options = names.map((name) => h("option", { value: name }, readable(name)));
  if (field.kind === "joint_or_all") options.unshift(h("option", { value: "" }, "all joints"));
  const select = h("select", { "aria-label": field.label }, ...options);
  const mine = cursor.get("joint");
  if (field.kind !== "trace")
    select.value = (field.name === "other" && field.kind === "joint" && counterpart(mine, joints)) || mine;
  const values = () => (select.value ? { [field.name]: select.value } : {});
  return { element: labelled(field, select), values };
}

/** @type {(field: Field, cursor: CursorState) => Built} */
function buildNumber(field, cursor) {
  const input = h("input", {
    type: "number",
    step: field.kind === "number" ? "any" : 1,
    "aria-label": field.label,
    placeholder: field.kind === "count" ? "to the end" : "",
    required: field.kind === "number",
    ...(field.low !== null && { min: field.low }),
  });
  input.value = String(field.default ?? "");
  const element = labelled(field, input);
  if (field.kind === "count") return { element, count: input, values: () => ({}) };
  if (field.kind !== "frame") return { element, values: () => ({ [field.name]: Number(input.value) }) };
  const value = () => (input.value === "" ? cursor.get("frame") : Number(input.value));
  return { element, follows: input, values: () => ({ [field.name]: value() }) };
}
