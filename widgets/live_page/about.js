// What the page says about itself. All of it is text of the page's author, and becomes text, never markup.

import { h } from "../core/dom.js";

/** @import { LiveContents } from "./types.d.ts" */

const LIVE =
  "The network runs in this page, in ONNX Runtime Web: on WebGPU where the browser has it, else on one thread. Its weights are rounded to half precision. " +
  "Frames of a video or a webcam are kept as JPEG, at most 720 pixels high, and are what the network sees. A video's " +
  "frames are those that this browser shows, one after the other, each with its time; of one longer than 600 frames, " +
  "the first 600 are tracked. The square that the network sees follows the body that is remembered, as in the notebook; a track that is lost is not searched for.";

/** @param {Pick<LiveContents, "about" | "code">} contents */
export function buildAbout({ about, code }) {
  const list = h("dl", {}, ...about.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
  return h(
    "section",
    { class: "dkd-panel dkd-page-about", "aria-label": "About this page" },
    h("details", {}, h("summary", {}, "About this page"), h("p", {}, LIVE), list),
    h("p", {}, code),
  );
}
