// What is saved and where: the session, after each change, and the joints as a table.

import { copyText } from "../core/clipboard.js";
import { h } from "../core/dom.js";
import { buildExports } from "../exports/menu.js";

/** @import { Clip, State } from "./types.d.ts" */
/** @import { Link } from "./link.js" */

/**
 * The last part of a path.
 * @param {string} path
 */
export const fileName = (path) => path.split(/[\\/]/).pop() ?? path;

/**
 * When and where the session was saved, in words.
 * @param {State["saved"]} saved
 */
export function savedText({ path, at, problem }) {
  if (problem) return `Not saved: ${problem}`;
  if (!path || !at) return "Not saved yet.";
  return `Saved at ${new Date(1000 * at).toLocaleTimeString("en-GB")} in ${fileName(path)}`;
}

/** @param {Link} link */
export function buildSave(link) {
  const text = h("span", { class: "dkd-saved", role: "status" });
  const code = h("button", { class: "dkd-button" });
  const path = h("input", {
    type: "text",
    class: "dkd-save-path",
    spellcheck: "false",
    "aria-label": "File of the session",
  });
  const formats = h("select", { "aria-label": "Format of the table of joints" });
  const joints = h("span", { class: "dkd-muted", role: "status" });
  const exports = buildExports(
    link.model.get("_export_menu"),
    (content) => link.send(content),
    () => ({}),
  );
  const problem = h("div", { class: "dkd-note dkd-error", role: "alert", hidden: true });
  let call = "";
  code.addEventListener("click", async () => {
    const isCopied = await copyText(call, element);
    code.textContent = isCopied ? "copied" : "copy by Ctrl-C";
    setTimeout(() => {
      code.textContent = "Copy the code that reopens it";
    }, 1500);
  });
  const elsewhere = h(
    "form",
    {
      class: "dkd-row",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (path.value.trim()) link.send({ type: "save", path: path.value.trim(), place: "save" });
      },
    },
    path,
    h("button", { class: "dkd-button", type: "submit" }, "Save there"),
  );
  const element = h(
    "section",
    { class: "dkd-panel dkd-save", "aria-label": "Save", tabindex: -1 },
    h("div", { class: "dkd-row" }, h("h3", {}, "Session"), text, h("span", { class: "dkd-space" }), elsewhere, code),
    h(
      "div",
      { class: "dkd-row" },
      h("h3", {}, "Joints"),
      formats,
      h(
        "button",
        { class: "dkd-button", onclick: () => link.send({ type: "joints", ending: formats.value, place: "save" }) },
        "Save the joints",
      ),
      joints,
    ),
    exports.element,
    problem,
  );
  return {
    element,
    /**
     * @param {State} state
     * @param {Clip | null} clip
     */
    update(state, clip) {
      element.hidden = !clip || !state.people.some(({ done, state: now }) => done > 0 && now !== "tracking");
      text.textContent = savedText(state.saved);
      text.title = state.saved.path ?? "";
      text.classList.toggle("dkd-saved-not", Boolean(state.saved.problem));
      code.hidden = !state.saved.path;
      call = `Studio(${JSON.stringify(state.saved.path ?? "")})`;
      if (!code.textContent) code.textContent = "Copy the code that reopens it";
      if (!path.matches(":focus")) path.value = state.saved.path ?? "";
      if (formats.childElementCount !== state.formats.length) {
        formats.replaceChildren(...state.formats.map((one) => h("option", { value: one }, one.slice(1).toUpperCase())));
      }
      joints.textContent = state.joints.path ? `Saved in ${fileName(state.joints.path)}` : "";
      joints.title = state.joints.path ?? "";
      exports.update(state.exporting);
      problem.textContent = [state.joints.problem, state.problems.save, state.problems.export]
        .filter(Boolean)
        .join(" ");
      problem.hidden = !problem.textContent;
    },
  };
}
