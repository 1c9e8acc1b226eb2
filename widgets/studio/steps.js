// The head of the studio: which clip is open, and the steps, with the one that is due.

import { h } from "../core/dom.js";
import { fileName } from "./save.js";

/** @import { Clip, State } from "./types.d.ts" */
/** @import { Link } from "./link.js" */

/** @type {[string, string][]} name → where it is on the page */
const STEPS = [
  ["Video", ".dkd-source"],
  ["Frames", ".dkd-strip-start"],
  ["People", ".dkd-who"],
  ["Track", ".dkd-track"],
  ["Correct", ".dkd-bench"],
  ["Save", ".dkd-save"],
];

/**
 * Number of the step that is due.
 * @param {State} state
 * @param {boolean} hasClip
 */
export function dueStep({ people, tracking }, hasClip) {
  if (!hasClip) return 0;
  if (tracking) return 3;
  if (!people.length) return 2;
  return people.every(({ state }) => state === "done" || state === "stopped") ? 4 : 3;
}

/**
 * @param {Link} link
 * @param {HTMLElement} root
 * @param {() => void} unfold shows the choice of frames and people
 */
export function buildSteps(link, root, unfold) {
  const name = h("strong");
  const facts = h("span", { class: "dkd-muted dkd-studio-facts" });
  const other = h("button", { class: "dkd-button", onclick: () => link.send({ type: "leave" }) }, "Another video …");
  const warnings = h("div", { class: "dkd-note dkd-gone", hidden: true });
  const earlier = h("div", { class: "dkd-note dkd-row", hidden: true });
  const items = STEPS.map(([label, selector], i) => {
    const button = h(
      "button",
      {
        class: "dkd-studio-step",
        onclick: () => {
          if (i > 0 && i < 4) unfold();
          const place = /** @type {HTMLElement | null} */ (root.querySelector(selector));
          place?.scrollIntoView({ block: "nearest" });
          place?.focus({ preventScroll: true });
        },
      },
      h("b", {}, String(i + 1)),
      label,
    );
    return h("li", {}, button);
  });
  const element = h(
    "header",
    { class: "dkd-studio-head" },
    h("div", { class: "dkd-studio-title" }, name, facts, h("span", { class: "dkd-space" }), other),
    h("ol", { class: "dkd-steps", "aria-label": "Steps" }, ...items),
    warnings,
    earlier,
  );
  return {
    element,
    /**
     * @param {State} state
     * @param {Clip | null} clip
     */
    update(state, clip) {
      name.textContent = clip ? clip.name : "Your own video";
      name.title = clip?.path ?? "";
      facts.textContent = clip ? `${clip.facts} · ${clip.rate}` : "from a video to a corrected track, in six steps";
      other.hidden = !clip;
      warnings.textContent = clip?.warnings.join(" ") ?? "";
      warnings.hidden = !warnings.textContent;
      if (earlier.dataset.path !== state.earlier) {
        earlier.dataset.path = state.earlier;
        const open = () => link.send({ type: "open", path: state.earlier, place: "source" });
        earlier.replaceChildren(
          `This video has a session, ${fileName(state.earlier)}.`,
          h("button", { class: "dkd-button", onclick: open }, "Open it"),
        );
      }
      earlier.hidden = !clip || !state.earlier;
      const due = dueStep(state, Boolean(clip));
      items.forEach((item, i) => {
        const button = /** @type {HTMLButtonElement} */ (item.firstElementChild);
        item.dataset.state = i < due ? "past" : i === due ? "due" : "later";
        if (i === due) button.setAttribute("aria-current", "step");
        else button.removeAttribute("aria-current");
        const isReady = i <= due || (clip && i === 1) || (i === 5 && due === 4);
        button.disabled = !isReady || (i === 0 && due > 0);
      });
    },
  };
}
