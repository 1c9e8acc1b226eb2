// Scrolls the workbench into view once when Python asks for it: what a click elsewhere has opened must be seen.

import { listen } from "../core/mount.js";

/** @import { Model } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Model} model
 * @param {AbortSignal} signal
 */
export function revealOnRequest(root, store, model, signal) {
  const reveal = () => {
    if (signal.aborted || !model.get("_reveal")) return;
    root.scrollIntoView({ block: "start" });
    model.set("_reveal", false); // not again after a reload
    model.save_changes();
  };
  const soon = () => void requestAnimationFrame(reveal); // once it is laid out
  listen(model, ["change:_reveal"], soon, signal);
  store.add({ header: soon, paint() {} }, signal);
}
