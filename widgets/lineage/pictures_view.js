// The pictures of the two frames of the selected cell, side by side.

import { h } from "../core/dom.js";
import { rowName } from "./matrix.js";

/** @import { LineageState } from "./state.js" */
/** @import { Pictures } from "./messages.d.ts" */

/**
 * @param {LineageState} state
 * @param {HTMLElement} root told which pictures are shown
 */
export function picturesView(state, root) {
  const images = [0, 1].map(() => h("img", { alt: "", hidden: true }));
  const captions = [0, 1].map(() => h("figcaption"));
  const figures = images.map((image, i) => h("figure", {}, image, captions[i]));
  /** @type {Pictures | null} */
  let shown = null;
  const free = () => {
    for (const image of images) URL.revokeObjectURL(image.src);
  };
  state.signal.addEventListener("abort", free);

  /** @param {Pictures} pictures */
  function show(pictures) {
    free();
    shown = pictures;
    images.forEach((image, i) => {
      image.src = URL.createObjectURL(new Blob([pictures.images[i]], { type: "image/jpeg" }));
      image.hidden = false;
    });
    root.dataset.pictures = `${pictures.s},${pictures.t}`;
  }

  return {
    elements: [
      h("div", { class: "dkd-where" }, "The two frames"),
      h("div", { class: "dkd-lineage-pictures" }, ...figures),
    ],
    paint() {
      if (state.pictures && shown !== state.pictures) show(state.pictures);
      if (!state.chosen) return;
      const texts = [`s · ${rowName(state.matrix)} ${state.chosen.s}`, `t · frame ${state.chosen.t}`];
      texts.forEach((text, i) => {
        captions[i].textContent = text;
        images[i].alt = text;
      });
    },
  };
}
