// The help panel: the table of shortcuts.

import { h } from "../core/dom.js";
import { SHORTCUTS } from "../core/keys.js";

/** @import { Shortcut } from "../core/types.d.ts" */

/** @param {Shortcut} shortcut */
const keysOf = ({ labels }) => labels.flatMap((label, i) => [...(i ? [" or "] : []), h("kbd", {}, label)]);

/** @param {string} group */
function buildGroup(group) {
  const rows = SHORTCUTS.filter((shortcut) => shortcut.group === group);
  const entries = rows.flatMap((shortcut) => [h("dt", {}, ...keysOf(shortcut)), h("dd", {}, shortcut.help)]);
  return h("div", {}, h("h4", {}, group), h("dl", {}, ...entries));
}

export function buildHelp() {
  const groups = [...new Set(SHORTCUTS.map((shortcut) => shortcut.group))];
  const about = "They act while the workbench has the focus: click it, or tab to it.";
  return h(
    "div",
    { class: "dkd-panel dkd-help", hidden: true, role: "region", "aria-label": "Keyboard shortcuts" },
    h("header", {}, h("h3", {}, "Keys"), h("span", { class: "dkd-muted" }, about)),
    h("div", { class: "dkd-help-groups" }, ...groups.map(buildGroup)),
  );
}
