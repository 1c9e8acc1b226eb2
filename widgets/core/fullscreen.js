// A view on the whole screen, and back.

import { h } from "./dom.js";

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function buildFullscreen(root, signal) {
  const isFull = () => document.fullscreenElement === root;
  const toggle = async () => {
    try {
      if (isFull()) await document.exitFullscreen();
      else await root.requestFullscreen();
    } catch (error) {
      console.warn("the browser does not show this on the whole screen", error); // a page in a frame may not
    }
  };
  const button = h("button", { class: "dkd-text dkd-fullscreen", onclick: toggle });
  const update = () => {
    button.textContent = isFull() ? "leave full screen" : "full screen";
    button.title = isFull() ? "Leave full screen (Shift F or Esc)" : "Full screen (Shift F)";
    button.setAttribute("aria-label", button.title);
  };
  document.addEventListener("fullscreenchange", update, { signal });
  signal.addEventListener("abort", () => isFull() && document.exitFullscreen());
  update();
  return { button, toggle };
}
