// The editor's people and tools, above the views.

import { h } from "../core/dom.js";
import { numberOf, readable } from "../core/text.js";
import { between } from "./actions.js";

/** @import { Actions } from "../core/types.d.ts" */
/** @import { Editing } from "./editing.js" */

/**
 * @param {Editing} editing
 * @param {Actions} act
 */
export function buildToolbar(editing, act) {
  const { store, cursor } = editing;
  const button = (
    /** @type {string} */ text,
    /** @type {string} */ title,
    /** @type {string} */ action,
    argument = "",
  ) => h("button", { class: "dkd-button", title, onclick: () => act[action](argument) }, text);
  const people = h("div", { class: "dkd-people", role: "group", "aria-label": "People" });
  const undo = button("Undo", "Undo (Ctrl+Z)", "undo");
  const redo = button("Redo", "Redo (Ctrl+Shift+Z)", "redo");
  const hide = button(
    "Hidden",
    "Mark the selected joint as hidden, or visible again (Delete, or a right click)",
    "hide",
  );
  const body = button("Swap sides", "Swap left and right of the whole body (W)", "swap", "body");
  const pair = button("", "Swap left and right of the selected joint (Shift W)", "swap", "joint");
  const interpolate = button("Interpolate", "The joint moves straight between its corrections (I)", "interpolate");
  const box = button("Box", "Move the person’s box in this frame, or draw it (Q)", "box");
  const mark = button("Bookmark", "Bookmark this frame, with a note (Shift B)", "bookmark");
  const zoom = button("Zoom", "Zoom to the joint, or the whole frame (Z; Ctrl and the mouse wheel)", "zoom");
  const uncorrected = h("input", { type: "checkbox", onchange: () => act.uncorrected("") });
  const faint = h(
    "label",
    { class: "dkd-check", title: "The run without corrections, dotted (D)" },
    uncorrected,
    "Uncorrected",
  );
  const restart = buildRestart(editing);
  const status = h("span", { class: "dkd-muted dkd-tracing", role: "status" });
  const element = h(
    "div",
    { class: "dkd-tools", role: "toolbar", "aria-label": "Corrections" },
    people,
    h("span", { class: "dkd-tool-group" }, undo, redo),
    h("span", { class: "dkd-tool-group" }, hide, pair, body, interpolate, box),
    h("span", { class: "dkd-tool-group" }, zoom, mark, faint),
    restart.element,
    status,
  );

  function showPeople() {
    people.hidden = editing.people.length < 2;
    const chips = editing.people.map(({ name, colour }, k) => {
      const dot = h("i", { class: "dkd-dot" });
      dot.style.background = colour;
      const isBusy = editing.edits.busy.includes(name);
      const title = `Select ${name}${k < 9 ? ` (${k + 1})` : ""}`;
      const onclick = () => name !== editing.person && editing.send({ type: "select", name });
      const look = { class: "dkd-person-chip", title, "aria-pressed": String(name === editing.person) };
      return h("button", { ...look, onclick }, dot, name, isBusy ? " …" : "");
    });
    people.replaceChildren(...chips);
  }

  function words() {
    const { traced, of, busy } = editing.edits;
    if (editing.isBoxing) return "Drag it, or draw another (Shift). Esc ends.";
    if (busy.includes(editing.person)) return `tracing again … ${traced} of ${of} frames`;
    return busy.length ? `tracing again: ${busy.join(", ")} …` : "";
  }

  return {
    element,
    update() {
      showPeople();
      undo.disabled = !editing.edits.undo;
      redo.disabled = !editing.edits.redo;
    },
    paint() {
      const { header, shown } = store;
      if (!header || !shown) return;
      const joint = header.joints[store.joint()];
      const part = /^(?:left|right)_(.+)$/.exec(joint)?.[1];
      const range = cursor.get("range");
      const where = range ? `frames ${numberOf(header, range[0])}–${numberOf(header, range[1])}` : "this frame";
      pair.hidden = !part;
      pair.textContent = `Swap ${part ? readable(part) : ""}s`.replace("foots", "feet");
      pair.title = `Swap left and right of this joint in ${where} (Shift W); Shift and drag on the timeline for a range`;
      body.title = `Swap left and right of the whole body in ${where} (W); Shift and drag on the timeline for a range`;
      const isHidden = header.hidden?.[shown.frame * header.joints.length + store.joint()];
      hide.setAttribute("aria-pressed", String(Boolean(isHidden)));
      box.setAttribute("aria-pressed", String(editing.isBoxing));
      zoom.setAttribute("aria-pressed", String(editing.look.zoom.factor > 1));
      interpolate.disabled = !between(editing, joint, shown.frame);
      uncorrected.checked = editing.showsUncorrected;
      faint.hidden = editing.isBoxing; // in its place is what a box needs: nothing else moves
      restart.paint();
      status.textContent = words();
    },
  };
}

/**
 * The choice beside a box that is drawn: whether the model begins again in it.
 * @param {Editing} editing
 */
function buildRestart(editing) {
  const box = h("input", {
    type: "checkbox",
    onchange: () => {
      editing.restarts = box.checked;
    },
  });
  const title = "The model forgets whom it followed: the pose initializer finds the joints in the box. Rarely needed.";
  const element = h("label", { class: "dkd-check", title }, box, "Re-initialise here");
  return {
    element,
    paint() {
      element.hidden = !editing.isBoxing;
      box.checked = editing.restarts;
    },
  };
}
