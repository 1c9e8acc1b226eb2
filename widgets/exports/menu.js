// The export menu: poses in a format, the overlay video, a picture of a view, all views as a page; what is written, how
// far, and where.

import { h } from "../core/dom.js";

/**
 * What Python says, see exports.py.
 * @typedef {{ busy: string, done: number, total: number, written: string[], notes: string[], problem: string }} Exporting
 */
/** @typedef {{ poses: [string, string][], video: [string, string][], picture: [string, string][],
 *   views: [string, string][], page: [string, string][] }} Menu */
/** @typedef {{ frame?: number, joint?: string }} Shown */

/**
 * What Python does, in words: empty before the first export.
 * @param {Exporting} state
 */
export function exportText({ busy, done, total, written, notes, problem }) {
  if (problem) return `Not exported: ${problem}`;
  if (busy) return total ? `Writing ${busy}: ${done} of ${total} …` : `Writing ${busy} …`;
  const places = written.map((path) => `Saved ${path.split(/[\\/]/).pop() ?? path}.`);
  return [...places, ...notes].join(" ");
}

/** @param {[string, string][]} options @param {string} label */
function select(options, label) {
  const entries = options.map(([value, text]) => h("option", { value }, text));
  return h("select", { title: label, "aria-label": label }, ...entries);
}

/** @param {string} text @param {string} title @param {boolean} isOn */
function check(text, title, isOn) {
  const box = h("input", { type: "checkbox", checked: isOn });
  return { box, element: h("label", { class: "dkd-check", title }, box, text) };
}

/**
 * @param {Menu} menu
 * @param {(content: object) => void} send
 * @param {() => Shown} shown the frame and joint that are shown
 */
export function buildExports(menu, send, shown) {
  const poses = select(menu.poses, "Format of the poses");
  const video = select(menu.video, "Format of the video");
  const picture = select(menu.picture, "Format of the picture");
  const view = select(menu.views, "What the picture shows");
  const page = select(menu.page, "Size of the page");
  const trails = check("trails", "Draw the last 20 frames of each joint as a line", false);
  const heatmap = check("heatmaps", "Draw the heatmaps over the frames", false);
  const confidence = check("confidence", "Draw what is less certain fainter", true);
  const look = () => ({
    trails: trails.box.checked,
    heatmap: heatmap.box.checked,
    confidence: confidence.box.checked,
  });
  const ask = (/** @type {string} */ kind, more = {}) =>
    send({ type: "export", place: "export", kind, ...look(), ...shown(), ...more });
  const save = (/** @type {string} */ what, /** @type {() => void} */ onclick) => {
    const title = `Export ${what}`;
    return h("button", { class: "dkd-button", title, "aria-label": title, onclick }, "Export");
  };
  const buttons = [
    save("the poses", () => ask(poses.value)),
    save("the video", () => ask(video.value)),
    save("the picture", () => ask(picture.value, { view: view.value })),
    save("the page", () => ask("page", { max_mb: Number(page.value) })),
  ];
  const [forPoses, forVideo, forPicture, forPage] = buttons;
  const bar = h("progress", { class: "dkd-progress", max: 1, "aria-label": "Export" });
  const stop = { title: "Stop writing", "aria-label": "Cancel the export" };
  const cancel = h(
    "button",
    { class: "dkd-button", ...stop, onclick: () => send({ type: "export_cancel" }) },
    "Cancel",
  );
  const text = h("span", { role: "status" });
  const row = (/** @type {string} */ name, /** @type {Node[]} */ ...parts) =>
    h("div", { class: "dkd-row" }, h("h3", {}, name), ...parts);
  const element = h(
    "div",
    { class: "dkd-exports", role: "group", "aria-label": "Export" },
    row("Poses", poses, forPoses),
    row("Video", video, trails.element, heatmap.element, confidence.element, forVideo),
    row("Picture", view, picture, forPicture),
    row("Page", h("span", {}, "all views in one file, for any browser"), page, forPage),
    h("div", { class: "dkd-row dkd-exports-foot" }, bar, cancel, text),
  );
  return {
    element,
    /** @param {Exporting} state */
    update(state) {
      for (const one of buttons) one.disabled = Boolean(state.busy);
      bar.hidden = cancel.hidden = !state.busy;
      bar.value = state.total ? state.done / state.total : 0;
      text.textContent = exportText(state);
      text.title = state.written.join("\n");
      text.classList.toggle("dkd-exports-not", Boolean(state.problem));
      element.dataset.busy = state.busy;
    },
  };
}
