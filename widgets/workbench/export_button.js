// The button of the title bar that unfolds the export menu. A workbench within a studio has none: the studio has one.

import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";
import { buildExports } from "../exports/menu.js";

/** @import { Model } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */

/**
 * @param {Model} model
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 */
export function buildExportButton(model, cursor, signal) {
  const element = h("div", { class: "dkd-panel dkd-exports-panel", hidden: true });
  const menu = model.get("_export_menu");
  if (!menu?.poses) return { element, buttons: [], close: () => false };
  const send = (/** @type {object} */ content) => model.send(content);
  const exports = buildExports(menu, send, () => ({ frame: cursor.get("frame"), joint: cursor.get("joint") }));
  element.append(exports.element);
  const label = "Export poses, an overlay video, or a picture of a view";
  const show = (/** @type {boolean} */ isShown) => {
    element.hidden = !isShown;
    button.setAttribute("aria-expanded", String(isShown));
  };
  const onclick = () => show(Boolean(element.hidden));
  const names = { title: label, "aria-label": "export", "aria-expanded": "false" };
  const button = h("button", { class: "dkd-text", ...names, onclick }, "export");
  const update = () => exports.update(model.get("_exporting"));
  listen(model, ["change:_exporting"], update, signal);
  update();
  return {
    element,
    buttons: [button],
    /** Fold the menu; whether it was open. */
    close() {
      const wasOpen = !element.hidden;
      show(false);
      return wasOpen;
    },
  };
}
