// The head of the debugger: the traces, the lanes that are shown, and why others are missing.

import { h } from "../core/dom.js";
import { SCOPES } from "./curves.js";
import traces from "./traces.json" with { type: "json" };

/** @import { Diagnosis } from "./messages.d.ts" */
/** @import { DebuggerState } from "./state.js" */

/** @param {DebuggerState} state */
export function headView(state) {
  const legend = h("span", { class: "dkd-debugger-legend" });
  /** @type {HTMLSelectElement} */
  const scope = h(
    "select",
    { "aria-label": "Lanes of", onchange: () => state.change({ scope: /** @type {any} */ (scope.value) }) },
    ...Object.entries(SCOPES).map(([value, label]) => h("option", { value }, label)),
  );
  const toggles = h("div", { class: "dkd-debugger-toggles", role: "group", "aria-label": "Lanes that are shown" });
  const missing = h("details", { class: "dkd-muted", hidden: true });
  const scopeLabel = h("label", { class: "dkd-check dkd-debugger-scope" }, "Lanes of", scope);
  return {
    elements: [h("header", {}, h("h3", {}, "Coherence"), legend, scopeLabel), toggles],
    missing,
    /**
     * Fill in what a new diagnosis says.
     * @param {Diagnosis} data
     */
    fill(data) {
      legend.replaceChildren(...legendOf(data));
      toggles.replaceChildren(
        ...data.lanes.map((lane) => {
          /** @type {HTMLInputElement} */
          const box = h("input", { type: "checkbox", onchange: () => state.toggle(lane.key, box.checked) });
          box.checked = Boolean(state.shown?.has(lane.key));
          return h("label", { class: "dkd-check", title: lane.help }, box, lane.label);
        }),
      );
      missing.hidden = !data.missing.length;
      missing.replaceChildren(...missingOf(data));
    },
  };
}

/** @param {Diagnosis} data */
function legendOf({ models, dropped }) {
  const names = models.map((name, i) => {
    const line = h("i", { class: i ? "dkd-line dkd-dashed" : "dkd-line" });
    return h("span", {}, line, models.length > 1 ? h("b", {}, traces.names[i]) : "", name);
  });
  return [...names, dropped ? "the other trace is left out: it has other frames or joints" : ""];
}

/** @param {Diagnosis} data */
function missingOf({ missing }) {
  const items = missing.map(({ lane, which, why }) =>
    h("li", {}, h("b", {}, lane, which ? ` of ${which}: ` : ": "), why),
  );
  const count = `${missing.length} ${missing.length > 1 ? "lanes are" : "lane is"} missing`;
  return [h("summary", {}, count), h("ul", {}, ...items)];
}
