// The list of moments on the page: filters, rows that go to their frame, and keys.

import { focusedIn, h } from "../core/dom.js";
import { momentRow, showRow } from "./moment_row.js";
import { countNote, isAbout, isAt, largestSeverity, nextRow, rowOfKey } from "./moments.js";

/** @import { DebuggerState } from "./state.js" */

const SEVERITY =
  "Severity: the value divided by the limit above which it stands out, so 1 is just noticed and 3 is three times as far.";
const COLUMNS = ["severity", "frames", "reason", "in", "what happens"];

/** @param {KeyboardEvent} event */
const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;

/** @param {DebuggerState} state */
export function momentsView(state) {
  const { cursor, signal } = state;
  /** @type {HTMLSelectElement} */
  const reason = h("select", { "aria-label": "Reason", onchange: () => state.change({ reason: reason.value }) });
  /** @type {HTMLInputElement} */
  const mine = h("input", { type: "checkbox", onchange: () => state.change({ mine: mine.checked }) });
  const count = h("span", { class: "dkd-muted", role: "status" });
  const body = h("tbody");
  const headings = COLUMNS.map((name) => h("th", { scope: "col" }, name));
  const table = h("table", { class: "dkd-moments" }, h("thead", {}, h("tr", {}, ...headings)), body);
  const scroll = h("div", { class: "dkd-moments-scroll", tabindex: "-1" }, table);
  let key = "";

  const buttons = () => [...body.querySelectorAll("button")];
  /** @param {number} current the row whose button Tab reaches */
  const setTabStop = (current) => {
    buttons().forEach((button, i) => {
      button.tabIndex = i === current ? 0 : -1;
    });
  };

  /** @param {number} i */
  function goTo(i) {
    const moment = state.rows[i];
    if (!moment) return;
    state.chosen = moment;
    const isMine = state.choice.mine && isAbout(moment, cursor.get("joint"));
    if (moment.joint && !isMine) cursor.set("joint", moment.joint);
    cursor.seek(moment.frame);
    setTabStop(i);
    showRow(body.rows[i], scroll, headings[0].offsetHeight);
    state.store.schedule();
  }

  function fill() {
    if (!state.data || key === state.listKey) return;
    key = state.listKey;
    state.list();
    const isFocused = body.contains(focusedIn(body));
    const top = largestSeverity(state.data.moments);
    body.replaceChildren(...state.rows.map((m, i) => momentRow(m, top, state.isPair, () => goTo(i))));
    headings[3].hidden = !state.isPair;
    count.textContent = countNote(state.found);
    const current = Math.max(0, state.chosen ? state.rows.indexOf(state.chosen) : 0);
    setTabStop(current);
    if (isFocused) buttons()[current]?.focus({ preventScroll: true });
  }

  body.addEventListener(
    "keydown",
    (event) => {
      const all = buttons();
      const here = all.indexOf(/** @type {HTMLButtonElement} */ (event.target));
      const to = rowOfKey(event.key, here, all.length);
      if (here < 0 || to === null || hasModifier(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!all[to]) return;
      setTabStop(to);
      all[to].focus();
    },
    { signal },
  );

  return {
    header: h(
      "header",
      {},
      h("h4", {}, "Moments that stand out"),
      h("label", { class: "dkd-check" }, "Reason", reason),
      h("label", { class: "dkd-check dkd-mine" }, mine, "selected joint only"),
      count,
      h("p", { class: "dkd-moments-about" }, SEVERITY),
    ),
    scroll,
    /** Offer the reasons of a new diagnosis. */
    open() {
      const options = state.reasons.map((value) => h("option", { value }, value));
      reason.replaceChildren(h("option", { value: "" }, "all"), ...options);
      reason.value = state.choice.reason;
    },
    fill,
    /**
     * N and P go through the list: here they mean this list, not the marks of the timeline.
     * @param {KeyboardEvent} event
     */
    onKey(event) {
      const by = { n: 1, p: -1 }[event.key.toLowerCase()];
      const target = /** @type {HTMLElement} */ (event.target);
      if (!by || hasModifier(event) || target.matches("select, textarea")) return;
      const here = state.chosen ? state.rows.indexOf(state.chosen) : -1;
      if (state.data) goTo(nextRow(here, by, state.rows.length));
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    /**
     * Mark the rows at a frame, and the one that was gone to.
     * @param {number} frame
     */
    paint(frame) {
      [...body.rows].forEach((row, i) => {
        row.classList.toggle("dkd-here", isAt(state.rows[i], frame));
        if (state.rows[i] === state.chosen) row.setAttribute("aria-current", "true");
        else row.removeAttribute("aria-current");
      });
    },
  };
}
