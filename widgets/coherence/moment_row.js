// One row of the list of moments.

import { h } from "../core/dom.js";
import { barLength, describeMoment, inWhich, severities, spanText, tenths } from "./moments.js";

/** @import { Moment } from "./messages.d.ts" */

/**
 * The row of a moment; a click anywhere in it goes there.
 * @param {Moment} moment
 * @param {number} top the largest severity
 * @param {boolean} isPair
 * @param {() => void} go
 */
export function momentRow(moment, top, isPair, go) {
  const label = describeMoment(moment, isPair);
  const button = h("button", { class: "dkd-go", title: label, "aria-label": label, onclick: go }, spanText(moment));
  const length = barLength(moment.severity, top).toFixed(1);
  const bar = h("i", { class: "dkd-severity", style: `width: ${length}%` });
  const pair = h("td", {}, h("b", {}, inWhich(moment)), h("small", {}, severities(moment)));
  const row = h(
    "tr",
    { onclick: (/** @type {MouseEvent} */ event) => event.target !== button && go() },
    h("td", {}, h("b", {}, tenths(moment.severity)), bar),
    h("td", {}, button),
    h("td", {}, moment.reason),
    ...(isPair ? [pair] : []),
    h("td", {}, moment.text),
  );
  Object.assign(row.dataset, { frame: moment.frame, reason: moment.reason, joint: moment.joint ?? "" });
  return row;
}

/**
 * Scroll the list, and only the list, until a row shows below its head.
 * @param {HTMLElement} row
 * @param {HTMLElement} scroll
 * @param {number} head height in CSS pixels
 */
export function showRow(row, scroll, head) {
  if (row.offsetTop - head < scroll.scrollTop) scroll.scrollTop = row.offsetTop - head;
  const below = row.offsetTop + row.offsetHeight - scroll.clientHeight;
  if (below > scroll.scrollTop) scroll.scrollTop = below;
}
