// The lines under a view: what the feed says, an error of a Python callback, a kernel that is gone.

import { h } from "./dom.js";

/** @import { Model } from "./types.d.ts" */

const LOOK_EVERY_MS = 2000;
const ENDED = ["restarting", "autorestarting", "terminating", "dead"];

/**
 * @param {HTMLElement} root
 * @param {Model} model
 * @param {AbortSignal} signal
 */
export function notes(root, model, signal) {
  const line = (/** @type {string} */ name, role = "status") => {
    const element = h("div", { class: `dkd-note dkd-${name}`, role, hidden: true });
    root.append(element);
    return (/** @type {string} */ text) => {
      element.textContent = text;
      element.hidden = !text;
    };
  };
  const [say, sayError, sayGone] = [line("status"), line("error", "alert"), line("gone")];
  const onError = () => sayError(model.get("_error"));
  model.on("change:_error", onError);
  signal.addEventListener("abort", () => model.off("change:_error", onError));
  onError();
  watchKernel(model, signal, () => {
    const again = isLecture() ? "reload the page" : "run the cell again";
    sayGone(`The kernel is gone. Frames that are already here can still be seen; ${again} for a live view.`);
    root.classList.add("dkd-without-kernel");
  });
  return { say };
}

/** Whether the page is a lesson without code, see dkd/serve/lecture: nobody runs cells there. */
export const isLecture = () => Boolean(document.body.dataset.voila);

/**
 * Call gone() once the kernel that made the view was shut down, replaced or restarted. A kernel that is shut down from
 * elsewhere tells nobody: JupyterLab finds out when it looks, and so does this.
 * @param {Model} model
 * @param {AbortSignal} signal
 * @param {() => void} gone
 */
export function watchKernel(model, signal, gone) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.statusChanged) return; // not JupyterLab
  const stop = () => {
    clearInterval(timer);
    kernel.statusChanged.disconnect(onStatus);
  };
  const end = () => {
    stop();
    gone();
  };
  const onStatus = (/** @type {unknown} */ _, /** @type {string} */ status) => {
    if (ENDED.includes(status)) end();
  };
  const timer = setInterval(() => {
    if (kernel.isDisposed || model.widget_manager.kernel !== kernel) end();
  }, LOOK_EVERY_MS);
  kernel.statusChanged.connect(onStatus);
  signal.addEventListener("abort", stop);
}
