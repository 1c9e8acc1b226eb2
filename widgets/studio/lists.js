// The corrections of the selected person and the bookmarks, to jump to and to remove.

import { h } from "../core/dom.js";
import { numberOf, readable } from "../core/text.js";

/** @import { Correction } from "./corrections.d.ts" */
/** @import { Editing } from "./editing.js" */

/** @param {Correction} correction */
function describe({ joint, action, text }) {
  if (!action) return text;
  const what = joint ? readable(joint) : action === "sides swapped" ? "whole body" : "";
  return what ? `${what} · ${action}` : action;
}

/** @type {(header: { first: number }, correction: { first: number | null, last: number | null }) => string} */
function framesOf(header, { first, last }) {
  if (first === null || last === null) return "all";
  const [from, to] = [numberOf(header, first), numberOf(header, last)];
  return first === last ? `${from}` : `${from}–${to}`;
}

/** @param {Editing} editing */
export function buildLists(editing) {
  const { cursor, store } = editing;
  const header = () => store.header ?? { first: 0 };
  const shownAs = (/** @type {number} */ frame) => numberOf(header(), frame);
  const corrections = h("ol", { class: "dkd-edits", "aria-label": "Corrections", tabindex: 0 });
  const bookmarks = h("ol", { class: "dkd-edits", "aria-label": "Bookmarks", tabindex: 0 });
  const count = h("span", { class: "dkd-muted" });
  const none = h("p", {}, "None yet. Drag a joint; right-click one that cannot be seen.");
  const noMarks = h("p", {}, "None yet. Bookmark, or Shift B, marks the frame.");
  const element = h(
    "div",
    { class: "dkd-lists" },
    h("div", { class: "dkd-panel" }, h("header", {}, h("h3", {}, "Corrections"), count), none, corrections),
    h("div", { class: "dkd-panel" }, h("header", {}, h("h3", {}, "Bookmarks")), noMarks, bookmarks),
  );
  const jump = (
    /** @type {number | null} */ frame,
    /** @type {string} */ text,
    /** @type {string | null} */ joint = null,
  ) => {
    const names = cursor.get("joint_names");
    const go = () => {
      if (frame !== null) cursor.seek(frame);
      if (joint && names.includes(joint)) cursor.set("joint", joint);
    };
    return h(
      "button",
      { class: "dkd-jump", title: frame === null ? text : `Go to frame ${shownAs(frame)}`, onclick: go },
      text,
    );
  };
  const remove = (/** @type {string} */ title, /** @type {object} */ message) =>
    h("button", { class: "dkd-remove", title, "aria-label": title, onclick: () => editing.send(message) }, "×");
  let shown = "";

  return {
    element,
    update() {
      const { corrections: all } = editing.edits;
      none.hidden = all.length > 0;
      corrections.hidden = !none.hidden;
      noMarks.hidden = editing.bookmarks.length > 0;
      bookmarks.hidden = !noMarks.hidden;
      count.textContent = editing.people.length > 1 ? `of ${editing.person}` : "";
      const state = JSON.stringify([all, editing.bookmarks, header().first]);
      if (state === shown) return;
      shown = state;
      corrections.replaceChildren(
        ...all.map((one) => {
          const [what, where] = [describe(one), framesOf(header(), one)];
          const title = `Remove: ${what}, frame ${where}`;
          const row = [h("b", {}, where), jump(one.first, what, one.joint)];
          return h("li", { title: one.text }, ...row, remove(title, { type: "remove", index: one.index }));
        }),
      );
      bookmarks.replaceChildren(
        ...editing.bookmarks.map(({ frame, note }) => {
          const change = () => void editing.send({ type: "bookmark", frame, note: field.value });
          const label = `Note on frame ${shownAs(frame)}`;
          const field = h("input", {
            type: "text",
            value: note,
            placeholder: "note",
            "aria-label": label,
            onchange: change,
          });
          const gone = remove(`Remove the bookmark of frame ${shownAs(frame)}`, { type: "unbookmark", frame });
          if (editing.noting === frame) queueMicrotask(() => field.focus());
          return h("li", {}, jump(frame, String(shownAs(frame))), field, gone);
        }),
      );
      if (editing.bookmarks.some(({ frame }) => frame === editing.noting)) editing.noting = null;
    },
  };
}
