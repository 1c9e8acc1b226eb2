// The help panel: the table of shortcuts.

import { h } from "../core/dom.js";
import { SHORTCUTS } from "../core/keys.js";

/** @import { Actions, Shortcut } from "../core/types.d.ts" */

/** @param {Shortcut} shortcut */
const keysOf = ({ labels }) => labels.flatMap((label, i) => [...(i ? [" or "] : []), h("kbd", {}, label)]);

/**
 * @param {string} group
 * @param {Shortcut[]} shortcuts
 */
function buildGroup(group, shortcuts) {
  const rows = shortcuts.filter((shortcut) => shortcut.group === group);
  const entries = rows.map((shortcut) =>
    h("div", { class: "dkd-help-row" }, h("dt", {}, ...keysOf(shortcut)), h("dd", {}, shortcut.help)),
  );
  return h("div", {}, h("h4", {}, group), h("dl", {}, ...entries));
}

/**
 * The panel lies over the views, and closes with the key that opened it, with Esc, or by its button.
 * @param {Actions} act what the view does: keys for what only other views do are left out
 */
export function buildHelp(act) {
  const known = SHORTCUTS.filter(({ action }) => action.split(":")[0] in act);
  const groups = [...new Set(known.map((shortcut) => shortcut.group))];
  const about = "They act while the workbench has the focus: click it, or tab to it.";
  const toggle = () => {
    element.hidden = !element.hidden;
  };
  const close = h(
    "button",
    { class: "dkd-text", title: "Close (Esc)", "aria-label": "Close (Esc)", onclick: toggle },
    "close",
  );
  const element = h(
    "div",
    { class: "dkd-panel dkd-help", hidden: true, role: "region", "aria-label": "Keyboard shortcuts" },
    h(
      "header",
      {},
      h("h3", {}, "Keys"),
      h("span", { class: "dkd-muted" }, about),
      h("span", { class: "dkd-space" }),
      close,
    ),
    h("div", { class: "dkd-help-groups" }, ...groups.map((group) => buildGroup(group, known))),
  );
  return { element, toggle, isOpen: () => !element.hidden };
}
