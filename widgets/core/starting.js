// What a view shows until Python has answered: one blurred frame, and why it takes long.

import { h } from "./dom.js";
import { isLecture } from "./notes.js";

/** @import { Model } from "./types.d.ts" */
/** @import { Store } from "./store.js" */

const PATIENCE_MS = 600; // after so long without an answer it says why

/**
 * Whether Python runs something else; a kernel answers one thing after the other.
 * @param {Model} model
 */
export const isBusy = (model) => model.widget_manager?.kernel?.status === "busy";

/**
 * Cover a view until its trace is known: without it there are no joints to choose from, and nothing to play.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {AbortSignal} signal
 */
export function coverUntilKnown(root, store, signal) {
  if (store.header) return;
  const { model } = store;
  const words = h("p", { role: "status" });
  /** @type {HTMLImageElement} */
  const picture = h("img", { alt: "", onload: () => URL.revokeObjectURL(picture.src) });
  const cover = h("div", { class: "dkd-starting-cover" }, picture, words);
  const still = model.get("_still");
  const address = still?.byteLength ? URL.createObjectURL(new Blob([still], { type: "image/jpeg" })) : "";
  picture.src = address || "data:,";
  picture.hidden = !address;
  root.prepend(cover);
  root.classList.add("dkd-starting");
  root.hidden = !model.widget_manager?.kernel; // an exported page: nobody will answer, and the still picture stays
  const say = () => {
    const [other, free] = isLecture() ? ["other parts of the page", "they are done"] : ["other cells", "it is free"];
    words.textContent = isBusy(model)
      ? `The kernel is busy with ${other}. This view starts as soon as ${free}.`
      : "Starting …";
  };
  const timer = setTimeout(say, PATIENCE_MS);
  const end = () => {
    clearTimeout(timer);
    cover.remove();
    root.classList.remove("dkd-starting");
    root.hidden = false;
    store.views.delete(view);
  };
  const view = { header: end, paint() {} };
  store.add(view, signal); // before the others: they are laid out when they hear of the trace
  signal.addEventListener("abort", end);
}
