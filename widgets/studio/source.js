// Where the video comes from: dropped, chosen, recorded, typed, or a sample.

import { h } from "../core/dom.js";
import { buildCamera } from "./camera.js";
import { chosenFolder, listenForDrops } from "./drops.js";
import { FolderUpload } from "./folder_upload.js";
import { buildPathField } from "./path_field.js";
import { showSamples } from "./samples.js";
import { sizeText, Upload } from "./upload.js";

/** @import { Clip, State } from "./types.d.ts" */
/** @import { Folder } from "./drops.js" */
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
  /** @type {Upload | FolderUpload | null} */
  let current = null;
  link.on("upload", (message) => void current?.receive(message));
  const send = (/** @type {object} */ content, /** @type {ArrayBuffer[] | undefined} */ buffers) =>
    link.send(content, buffers);
  /**
   * @param {string} name
   * @param {import("./upload.js").Progress} now
   * @param {string} count
   */
  const follow = (name, now, count) => {
    element.hidden = now.state !== "sending";
    bar.value = now.size ? now.offset / now.size : 0;
    text.textContent = `${name}: ${count}${sizeText(now.offset)} of ${sizeText(now.size)}`;
    if (now.state === "done" && now.path) done(now.path);
    if (now.state === "error") failed(now.text ?? "The upload failed.");
  };
  /** @param {Upload | FolderUpload} next */
  const start = (next) => {
    current?.cancel();
    failed("");
    current = next;
    next.start();
  };
  return {
    element,
    fail: failed,
    /** @param {File} file */
    file: (file) => start(new Upload(file, send, (now) => follow(file.name, now, ""))),
    /** @param {Folder} folder */
    folder(folder) {
      if (!folder.files.length) return failed(noImages(folder.name));
      start(new FolderUpload(folder, send, (now) => follow(folder.name, now, `${now.done} of ${now.of} images, `)));
    },
  };
}

/** @param {string} name of a folder */
const noImages = (name) =>
  `There are no images in the folder ${name}. Choose the folder that has them (BMP, JPEG, PNG, TIFF or WebP).`;

/**
 * @param {Link} link
 * @param {HTMLElement} root takes drops
 */
export function buildSource(link, root) {
  const open = (/** @type {string} */ path) => {
    link.isOpening = true;
    link.send({ type: "open", path, place: "source" });
  };
  const problem = h("div", { class: "dkd-note dkd-error", role: "alert", hidden: true });
  const fail = (/** @type {string} */ text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const uploads = buildUploads(link, open, fail);
  const camera = buildCamera(link.signal, (file) => uploads.file(file), fail);
  const file = h("input", { type: "file", accept: ACCEPTED, hidden: true, "aria-label": "Video file" });
  file.addEventListener("change", () => {
    if (file.files?.[0]) uploads.file(file.files[0]);
    file.value = "";
  });
  const folder = h("input", { type: "file", webkitdirectory: "", hidden: true, "aria-label": "Folder of images" });
  folder.addEventListener("change", () => {
    if (folder.files?.length) uploads.folder(chosenFolder([...folder.files]));
    folder.value = "";
  });
  listenForDrops(root, uploads);
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
        h("h3", {}, "Drop a video or a folder of images here"),
        h(
          "div",
          { class: "dkd-row" },
          button("Choose a file …", () => file.click(), "dkd-primary"),
          button("Choose a folder …", () => folder.click()),
          button("Record with the webcam …", () => camera.open()),
        ),
        file,
        folder,
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
