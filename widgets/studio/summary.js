// What stays in sight once there are tracks: who was tracked, how good each track is, and the way back.

import { h } from "../core/dom.js";

/** @import { Clip, State } from "./types.d.ts" */

/** @param {() => void} change unfolds the choice of frames and people */
export function buildSummary(change) {
  const list = h("ul", { class: "dkd-summary-people" });
  const notes = h("div", { class: "dkd-note dkd-gone", role: "status", hidden: true });
  const button = h("button", { class: "dkd-button", onclick: change }, "Change frames or people …");
  const element = h(
    "section",
    { class: "dkd-panel dkd-summary", "aria-label": "Tracks" },
    h("div", { class: "dkd-row" }, list, button),
    notes,
  );
  return {
    element,
    button,
    /**
     * @param {State} state
     * @param {Clip | null} clip
     */
    update(state, clip) {
      const tracked = state.people.filter(({ done }) => done > 0);
      element.hidden = !clip || !tracked.length || state.tracking;
      list.replaceChildren(
        ...tracked.map((person) => {
          const dot = h("i", { class: "dkd-dot", "aria-hidden": "true" });
          dot.style.background = person.colour;
          const item = h("li", {}, dot, h("b", {}, person.name), h("span", { class: "dkd-muted" }, person.text));
          item.dataset.verdict = person.verdict;
          return item;
        }),
      );
      notes.textContent = [...state.warnings, ...state.same].join(" ");
      notes.hidden = !notes.textContent;
    },
  };
}
