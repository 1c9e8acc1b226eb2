// The table of a study's clips: rows come from the kernel as they scroll into sight; a click or Enter opens a clip.

import { focusedIn, h } from "../core/dom.js";
import { hideFilmstrip, listen } from "../core/mount.js";
import { followTheme } from "../core/theme.js";
import { buildQuestion } from "./question.js";
import { buildRow, showStrip } from "./row.js";
import { ROW, rowAfter, rowsInSight } from "./rows.js";

/** @import { Context, Model } from "../core/types.d.ts" */
/** @import { Row } from "./rows.js" */
/** @typedef {{ type: string, request: number, first: number, total: number, rows: Row[], name: string, image: string }} Answer */

const FIRST_TOTAL = 1000; // rows, until the kernel has said how many there are
const STRIPS = 400; // pictures of a few kilobytes
const SIGHT = 12 * ROW; // what is in sight of a long table, in CSS pixels: the style sheet allows no more

/** @param {Context} context */
function render({ model, el, signal }) {
  const state = h("span", { class: "dkd-muted", role: "status" });
  const message = h("div", { class: "dkd-study-message", role: "status" });
  const code = h("code", { class: "dkd-study-code" });
  const question = buildQuestion(model, () => rows.ask(), signal);
  let isLive = false;
  const rows = buildRows(model, question, (shown) => {
    if (!isLive) hideFilmstrip(model.get("_filmstrip"), signal); // the kernel answers: this is no exported page
    isLive = true;
    const all = model.get("_state");
    state.textContent = question.isFiltered() || model.get("_chosen") ? `${shown} shown · ${all}` : all;
  });
  const giveUp = { title: "Show all clips that fit the filters", onclick: () => model.send({ type: "all" }) };
  const chosen = h("button", { class: "dkd-study-chosen", ...giveUp });
  const root = h(
    "section",
    { class: "dkd dkd-study", "aria-label": "Clips of the study" },
    h("header", {}, h("h3", {}, "Clips"), question.find, question.filters, chosen, state),
    rows.element,
    message,
    code,
  );
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  followTheme(root, signal);

  const onWords = () => {
    message.textContent = model.get("_message");
    message.hidden = !message.textContent;
    code.textContent = model.get("_code");
    code.hidden = !code.textContent;
    rows.paint();
  };
  const onRows = () => {
    chosen.textContent = `${model.get("_chosen")} ✕`;
    chosen.hidden = !model.get("_chosen");
    question.fill();
    rows.ask();
  };
  rows.element.addEventListener("scroll", rows.paint, { signal });
  root.addEventListener("keydown", rows.onKey, { signal });
  listen(model, ["msg:custom"], rows.onAnswer, signal);
  listen(model, ["change:_version"], onRows, signal);
  listen(model, ["change:_opened", "change:_message", "change:_code"], onWords, signal);
  signal.addEventListener("abort", () => root.remove());
  onWords();
  onRows();
}

/**
 * The part that scrolls.
 * @param {Model} model
 * @param {ReturnType<typeof buildQuestion>} question
 * @param {(shown: number) => void} counted called with the number of rows that were found
 */
function buildRows(model, question, counted) {
  /** @type {Map<number, Row>} */
  let known = new Map(); // by position
  /** @type {Map<string, string>} */
  const strips = new Map(); // pictures by the name of the row, those of the last rows
  let [total, most, request, here, focusNext] = [0, 0, 0, 0, false];
  const body = h("tbody");
  const table = h("table", { class: "dkd-study-table" }, h("thead", {}, question.headings), body);
  const element = h("div", { class: "dkd-study-scroll", tabindex: "-1" }, table);

  /** Ask for the rows again: the order or the filters changed. */
  function ask() {
    [known, total, here] = [new Map(), 0, 0];
    element.scrollTop = 0;
    element.setAttribute("aria-busy", "true");
    send(0, rowsInSight(0, SIGHT, FIRST_TOTAL).count);
  }

  /**
   * @param {number} first
   * @param {number} count
   */
  function send(first, count) {
    request += 1;
    model.send({ type: "rows", request, first, count, ...question.asked() });
  }

  /** Show the rows in sight, and ask for those that are not known. */
  function paint() {
    const { first, last, from, count } = rowsInSight(element.scrollTop, SIGHT, total);
    const hadFocus = body.contains(focusedIn(body));
    const given = { columns: model.get("_columns"), opened: model.get("_opened"), open, strips };
    const places = Array.from({ length: last - first }, (_, k) => first + k);
    const rows = places.map((i) => buildRow(known.get(i), i, { ...given, isStop: i === here }));
    body.replaceChildren(gap(first), ...rows, gap(total - last));
    table.setAttribute("aria-rowcount", String(total + 1));
    if (hadFocus || focusNext) {
      /** @type {HTMLElement | null} */
      const stop = body.querySelector('button[tabindex="0"]');
      focusNext = !stop; // its row has not come yet: until then keys go to the part that scrolls
      (stop ?? element).focus({ preventScroll: true });
    }
    if (places.some((i) => !known.has(i))) send(from, count);
  }

  /**
   * @param {string} name
   * @param {string} image
   */
  function onStrip(name, image) {
    strips.delete(name);
    strips.set(name, image);
    if (strips.size > STRIPS) strips.delete([...strips.keys()][0]);
    const row = [...body.rows].find((one) => one.dataset.name === name);
    if (row) showStrip(row.cells[0], image);
  }

  /** @param {Answer} answer */
  function onAnswer(answer) {
    if (answer.type === "strip") onStrip(answer.name, answer.image);
    if (answer.type !== "rows" || answer.request !== request) return; // of an earlier question
    total = answer.total;
    most = Math.max(most, total); // what is below stays where it is when fewer rows fit a filter
    element.style.minHeight = `${Math.min(SIGHT, most * ROW) + ROW}px`;
    element.setAttribute("aria-busy", "false");
    for (const [i, row] of answer.rows.entries()) known.set(answer.first + i, row);
    counted(total);
    paint();
  }

  /**
   * @param {string} name
   * @param {number} i
   * @param {number | null} at share of the clip that was clicked in its lane
   */
  function open(name, i, at = null) {
    here = i;
    model.send({ type: "open", name, at });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    event.stopPropagation(); // not JupyterLab's
    const isHere = event.target === element || body.contains(/** @type {Node} */ (event.target));
    if (!isHere || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = rowAfter(event.key, here, total, SIGHT / ROW - 1);
    if (to === null) return;
    event.preventDefault();
    here = to;
    focusNext = true;
    element.scrollTop = Math.min(to * ROW, Math.max(element.scrollTop, (to + 1) * ROW - SIGHT));
    paint();
  }

  return { element, ask, paint, onAnswer, onKey };
}

/** @param {number} n rows that are not in sight */
const gap = (n) => h("tr", { class: "dkd-gap", "aria-hidden": "true", style: `height: ${n * ROW}px` });

export default { render };
