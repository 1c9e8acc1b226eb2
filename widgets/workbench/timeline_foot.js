// Below the timeline: buttons that jump between the worst moments, and between the frames that were re-initialised; the
// key of the bars.

import { h, icon } from "../core/dom.js";
import { actions } from "../core/keys.js";
import { numberOf } from "../core/text.js";
import { STRANGE } from "./timeline_strange.js";

/** @import { Header } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 */
export function buildFoot(root, store, cursor) {
  const act = actions(root, store, cursor);
  const jump = (/** @type {string} */ label, /** @type {string} */ text, /** @type {() => void} */ onclick) =>
    h("button", { class: "dkd-text", title: label, "aria-label": label, onclick }, text);
  const momentsHint = h("span", { class: "dkd-muted" });
  const startsHint = h("span", { class: "dkd-muted" });
  const strangeHint = h("span", { class: "dkd-muted" });
  const strange = h(
    "span",
    {
      class: "dkd-strange",
      hidden: true,
      title: `The person ${STRANGE}: do not rely on the confidence in these frames`,
    },
    h("span", { class: "dkd-strange-mark", "aria-hidden": "true" }),
    "somebody else?",
    strangeHint,
  );
  const starts = h(
    "span",
    { class: "dkd-starts", hidden: true },
    h("span", { class: "dkd-start-mark", "aria-hidden": "true" }, "R"),
    "re-initialised",
    jump("Previous re-initialisation (Shift M)", "previous", () => act.start(-1)),
    jump("Next re-initialisation (M)", "next", () => act.start(1)),
    startsHint,
  );
  const element = h(
    "div",
    { class: "dkd-lane-foot" },
    h("span", { class: "dkd-worst-mark" }, icon("down")),
    "worst moments",
    jump("Previous worst moment (P)", "previous", () => act.worst(-1)),
    jump("Next worst moment (N)", "next", () => act.worst(1)),
    momentsHint,
    strange,
    starts,
  );
  return {
    element,
    /** @param {Header} header */
    header(header) {
      const { starts: frames } = header;
      const count = header.strange.length;
      strange.hidden = !count;
      strangeHint.textContent = count === 1 ? `in frame ${numberOf(header, header.strange[0])}` : `in ${count} frames`;
      starts.hidden = !frames.length;
      const where = frames.length === 1 ? `in frame ${numberOf(header, frames[0])}` : `${frames.length} times`;
      startsHint.textContent = `lost and found ${where}`;
    },
    /** @param {number} joint */
    joint(joint) {
      const count = store.header.worst[joint].length;
      momentsHint.textContent = count
        ? `${count} in this clip: low score, or a jump of the kernels`
        : "none in this clip";
    },
  };
}
