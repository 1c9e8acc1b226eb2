// The sample clips as pictures.

import { h } from "../core/dom.js";
import { pictureUrl } from "./link.js";

/** @import { Link } from "./link.js" */

/**
 * The sample clips as pictures to click.
 * @param {Link} link
 * @param {HTMLElement} place
 * @param {(path: string) => void} open
 */
export function showSamples(link, place, open) {
  /** @type {Set<string>} */
  const shown = new Set();
  link.on("sample", ({ name, path, description, text }, [view]) => {
    if (shown.has(name)) return;
    shown.add(name);
    const url = pictureUrl(view);
    link.signal.addEventListener("abort", () => URL.revokeObjectURL(url));
    place.append(
      h(
        "button",
        {
          class: "dkd-sample",
          title: description,
          onclick: () => open(path),
        },
        h("img", { src: url, alt: "" }),
        h("span", {}, name.replaceAll("_", " ")),
        h("small", { class: "dkd-muted" }, text),
      ),
    );
  });
  link.send({ type: "samples" });
}
