// The bar above the views: what is tracked, how far it is, and that nothing leaves this computer.

import { h } from "../core/dom.js";

const PRIVATE =
  "Nothing leaves this computer: the video, the webcam and the network stay in this page, which is forbidden to connect " +
  "to anything.";

/**
 * @param {{ sample: string, open: (file: File) => void, play: () => void, film: () => void, stop: () => void }} acts
 */
export function buildSourceBar({ sample, open, play, film, stop }) {
  const file = h("input", { type: "file", accept: "video/*", hidden: true, "aria-label": "A video file" });
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    if (chosen) open(chosen);
    file.value = ""; // the same file can be chosen again
  });
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    h("button", { class: "dkd-button", title, onclick, disabled: true }, text);
  const choices = [
    button("Open a video …", "Or drop a video anywhere on this page", () => file.click()),
    button("Webcam", "Follow whoever is in front of the webcam", film),
    button("Sample", `Track ${sample}, which is in this page`, play),
  ];
  const end = h("button", { class: "dkd-button", hidden: true, onclick: stop }, "Stop");
  const text = h("span", { role: "status" });
  const bar = h("progress", { class: "dkd-progress", "aria-label": "Progress", max: 1, value: 0 });
  const problem = h("p", { class: "dkd-note dkd-error", role: "alert", hidden: true });
  const preview = h("span", { class: "dkd-live-page-preview" });
  const element = h(
    "section",
    { class: "dkd dkd-live-page-bar", "aria-label": "Video" },
    h("div", { class: "dkd-row" }, ...choices, end, file, preview, bar, text),
    h("p", { class: "dkd-live-page-private" }, PRIVATE),
    problem,
  );
  return {
    element,
    preview,
    /** The network is ready: something can be chosen. */
    enable() {
      for (const one of choices) one.disabled = false;
    },
    /** @param {boolean} isReading whether there is something to stop */
    reading(isReading) {
      end.hidden = !isReading;
      if (!isReading) preview.replaceChildren();
    },
    /**
     * @param {string} words
     * @param {number | null} share of what is done, 0..1; null hides the bar
     */
    say(words, share) {
      text.textContent = words;
      bar.hidden = share === null;
      bar.value = share ?? 0;
    },
    /** @param {string} words */
    sayProblem(words) {
      problem.textContent = words;
      problem.hidden = !words;
    },
  };
}

/**
 * A file that is dropped anywhere on the page.
 * @param {(file: File) => void} open
 * @param {AbortSignal} signal
 */
export function listenForDrops(open, signal) {
  document.addEventListener("dragover", (event) => event.preventDefault(), { signal });
  document.addEventListener(
    "drop",
    (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer?.files ?? [];
      if (file) open(file);
    },
    { signal },
  );
}
