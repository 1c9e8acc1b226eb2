// The lines under a view: what the feed says, an error of a Python callback, a kernel that is gone.

import { h } from "./dom.js";
export function notes(root, model, signal) {
  const lines = { status: "status", error: "alert", gone: "status" };
  for (const [name, role] of Object.entries(lines)) {
    lines[name] = h("div", { class: `dkd-note dkd-${name}`, role, hidden: true });
    root.append(lines[name]);
  }
  const say = (name, text) => {
    lines[name].textContent = text;
    lines[name].hidden = !text;
  };
  const onError = () => say("error", model.get("_error"));
  model.on("change:_error", onError);
  signal.addEventListener("abort", () => model.off("change:_error", onError));
  onError();
  watchKernel(model, signal, () => {
    say(
      "gone",
      "The kernel is gone. Frames that are already here can still be seen; run the cell again for a live view.",
    );
    root.classList.add("dkd-without-kernel");
  });
  return { say: (text) => say("status", text) };
}

// Call gone() once the kernel that made the view was shut down, replaced or started anew. A kernel that is shut down
// from elsewhere tells nobody: JupyterLab finds out when it looks, and so does this.
function watchKernel(model, signal, gone) {
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
  const onStatus = (_, status) => ["restarting", "autorestarting", "terminating", "dead"].includes(status) && end();
  const timer = setInterval(() => (kernel.isDisposed || model.widget_manager.kernel !== kernel) && end(), 2000);
  kernel.statusChanged.connect(onStatus);
  signal.addEventListener("abort", stop);
}
