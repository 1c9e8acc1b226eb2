// Where the video comes from: dropped, chosen, recorded, typed, or a sample.

import { h } from "../core/dom.js";
import { buildCamera } from "./camera.js";
import { buildPathField } from "./path_field.js";
import { showSamples } from "./samples.js";
import { sizeText, Upload } from "./upload.js";

/** @import { Clip, State } from "./types.d.ts" */
/** @import { Link } from "./link.js" */

const ACCEPTED = "video/*,.mkv,.mts,.m2ts,.avi,.ts,.gif";

/**
 * The progress of an upload, with a button that cancels it.
 * @param {Link} link
 * @param {(path: string) => void} done
 * @param {(text: string) => void} failed
 */
function buildUploads(link, done, failed) {
  const text = h("span");
  const bar = h("progress", { class: "dkd-progress", "aria-label": "Upload", max: 1 });
  const stop = h("button", { class: "dkd-button", onclick: () => current?.cancel() }, "Cancel");
  const element = h("div", { class: "dkd-upload", hidden: true }, h("div", { class: "dkd-row" }, text, stop), bar);
  /** @type {Upload | null} */
  let current = null;
  link.on("upload", (message) => void current?.receive(message));
  return {
    element,
    /** @param {File} file */
    start(file) {
      current?.cancel();
      failed("");
      current = new Upload(
        file,
        (content, buffers) => link.send(content, buffers),
        (now) => {
          element.hidden = now.state !== "sending";
          bar.value = now.size ? now.offset / now.size : 0;
          text.textContent = `${file.name}: ${sizeText(now.offset)} of ${sizeText(now.size)}`;
          if (now.state === "done" && now.path) done(now.path);
          if (now.state === "error") failed(now.text ?? "The upload failed.");
        },
      );
      current.start();
    },
  };
}

/**
 * Files that are dropped anywhere on an element.
 * @param {HTMLElement} target
 * @param {(file: File) => void} dropped
 */
function listenForDrops(target, dropped) {
  let depth = 0; // dragenter and dragleave come for every child, too
  const mark = (/** @type {number} */ by) => {
    depth = Math.max(0, depth + by);
    target.classList.toggle("dkd-dropping", depth > 0);
  };
  const isFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  /** @param {(event: DragEvent) => void} action */
  const taking = (action) => (/** @type {DragEvent} */ event) => {
    if (!isFile(event)) return;
    event.preventDefault(); // otherwise the browser leaves the page for the file, and JupyterLab uploads it
    event.stopPropagation();
    action(event);
  };
  target.addEventListener(
    "dragenter",
    taking(() => mark(1)),
  );
  target.addEventListener(
    "dragover",
    taking(() => {}),
  );
  target.addEventListener(
    "dragleave",
    taking(() => mark(-1)),
  );
  target.addEventListener(
    "drop",
    taking((event) => {
      mark(-depth);
      const file = event.dataTransfer?.files[0];
      if (file) dropped(file);
    }),
  );
}

/**
 * @param {Link} link
 * @param {HTMLElement} root takes drops
 */
export function buildSource(link, root) {
  const open = (/** @type {string} */ path) => link.send({ type: "open", path, place: "source" });
  const problem = h("div", { class: "dkd-note dkd-error", role: "alert", hidden: true });
  const fail = (/** @type {string} */ text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const uploads = buildUploads(link, open, fail);
  const camera = buildCamera(link.signal, (file) => uploads.start(file), fail);
  const file = h("input", { type: "file", accept: ACCEPTED, hidden: true, "aria-label": "Video file" });
  file.addEventListener("change", () => {
    if (file.files?.[0]) uploads.start(file.files[0]);
    file.value = "";
  });
  listenForDrops(root, (dropped) => uploads.start(dropped));
  const path = buildPathField(link, {
    label: "Path of a video, a folder of images or a session",
    action: "Open",
    placeholder: "clip.mp4, images/, im_%05d.png or clip.dkd.json",
    chosen: open,
  });
  const button = (/** @type {string} */ text, /** @type {() => void} */ onclick, kind = "") =>
    h("button", { class: `dkd-button ${kind}`, onclick }, text);
  const samples = h("div", { class: "dkd-samples" });
  const waiting = h("p", { class: "dkd-opening", role: "status", hidden: true });
  const moved = h("div", { class: "dkd-note dkd-gone", role: "alert", hidden: true });
  const element = h(
    "section",
    { class: "dkd-panel dkd-source", "aria-label": "Choose a video", tabindex: -1 },
    h(
      "div",
      { class: "dkd-source-grid" },
      h(
        "div",
        { class: "dkd-drop" },
        h("h3", {}, "Drop a video here"),
        h(
          "div",
          { class: "dkd-row" },
          button("Choose a file …", () => file.click(), "dkd-primary"),
          button("Record with the webcam …", () => camera.open()),
        ),
        file,
        camera.element,
        uploads.element,
      ),
      h(
        "div",
        { class: "dkd-source-path" },
        h("h3", {}, "Or give a path on the machine where the kernel runs"),
        path.element,
        h("p", {}, "A video, a folder of images, a pattern such as im_%05d.png, or a saved session."),
      ),
    ),
    moved,
    waiting,
    problem,
    h("h3", {}, "Or take a sample"),
    samples,
  );
  showSamples(link, samples, open);
  return {
    element,
    /**
     * @param {State} state
     * @param {Clip | null} clip
     */
    update(state, clip) {
      element.hidden = Boolean(clip);
      moved.textContent = state.moved && `${state.moved} Drop it here, or give its path.`;
      moved.hidden = !state.moved;
      waiting.hidden = !state.opening;
      waiting.textContent = `Opening ${state.opening} …`;
      if (state.problems.source || state.opening) fail(state.problems.source ?? "");
    },
  };
}
