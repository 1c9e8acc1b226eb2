// The channels that contribute most at the joint's peak: one is shown, others can be ticked for mute and solo.

/** @import { FrameRecord } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { EditedKernels, Shown } from "./edited_kernels.js" */

import { diverging } from "../core/colours.js";
import { focusedIn, h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { signed } from "../core/text.js";

const LISTED = 7; // channels

/**
 * What a channel adds to a joint's map in the cell that a patch of its features surrounds.
 *
 * @param {Float32Array<ArrayBuffer>} patch
 * @param {Float32Array<ArrayBuffer>} kernel
 * @param {number} weight of the channel in the joint's read-out
 */
export const contribution = (patch, kernel, weight) => patch.reduce((sum, p, i) => sum + p * kernel[i] * weight, 0);

/**
 * @param {object} options
 * @param {Store} options.store
 * @param {EditedKernels} options.edited
 * @param {() => void} options.changed asks for a new painting
 */
export function buildChannelList({ store, edited, changed }) {
  let shown = 0;
  /** @type {Set<number>} */
  let ticked = new Set();
  /** @type {Shown | null} */
  let ranked = null; // what the list is of
  /** @type {ReturnType<typeof buildRow>[]} */
  let rows = [];
  const element = h("div", { class: "dkd-kernel-list", role: "group", "aria-label": "Channels that contribute most" });

  /** @param {number} channel */
  const show = (channel) => {
    shown = channel;
    changed();
  };
  /** @type {(channel: number, isTicked: boolean) => void} */
  const tick = (channel, isTicked) => {
    if (isTicked) ticked.add(channel);
    else ticked.delete(channel);
    changed();
  };

  return {
    element,
    show,
    shown: () => shown,
    // The shown channel and those that are ticked.
    several: () => [...new Set([shown, ...ticked])].sort((a, b) => a - b),
    /**
     * List the channels for the shown kernels; painting does not reorder them.
     *
     * @param {FrameRecord} record
     * @returns {boolean} whether the list is new
     */
    rank(record) {
      const { now } = edited;
      if (!now || ranked === now) return false;
      const [x, y] = [record.peaks[2 * now.joint], record.peaks[2 * now.joint + 1]];
      const parts = store.explain(now.joint, x, y)?.parts.slice(0, LISTED);
      if (!parts) return false;
      ranked = now;
      if (!edited.edits().length) [shown, ticked] = [parts[0].channel, new Set()];
      const focused = focusedIn(element);
      const kept = focused instanceof HTMLElement && element.contains(focused) ? focused.dataset.channel : undefined;
      rows = parts.map(({ channel, patch }) => buildRow(channel, patch, { show, tick }));
      element.replaceChildren(...rows.map((row) => row.element));
      rows.find((row) => String(row.channel) === kept)?.button.focus({ preventScroll: true });
      return true;
    },
    /** @param {number} limit the magnitude that has the full colour */
    update(limit) {
      const { now } = edited;
      if (!now) return;
      for (const row of rows) {
        const weight = now.header.readout[now.joint * now.header.channels + row.channel];
        row.update({ kernel: edited.kernel(row.channel), weight, limit, shown, isTicked: ticked.has(row.channel) });
      }
    },
  };
}

/**
 * One channel of the list.
 *
 * @param {number} channel
 * @param {Float32Array<ArrayBuffer>} patch of its features around the peak
 * @param {{ show: (channel: number) => void, tick: (channel: number, isTicked: boolean) => void }} acts
 */
function buildRow(channel, patch, { show, tick }) {
  const box = h("input", {
    type: "checkbox",
    "aria-label": `channel ${channel} too, for mute and solo`,
    title: "For mute and solo",
    onchange: () => void tick(channel, box.checked),
  });
  const picture = h("canvas", { class: "dkd-cells", "aria-hidden": "true" });
  const value = h("b");
  const button = h(
    "button",
    { class: "dkd-kernel-channel", "data-channel": channel, onclick: () => show(channel) },
    picture,
    h("span", {}, String(channel)),
    value,
  );
  return {
    channel,
    button,
    element: h("div", { class: "dkd-kernel-row" }, box, button),
    /** @param {{ kernel: Float32Array<ArrayBuffer>, weight: number, limit: number, shown: number, isTicked: boolean }} now */
    update({ kernel, weight, limit, shown, isTicked }) {
      const side = Math.sqrt(kernel.length);
      const adds = signed(contribution(patch, kernel, weight));
      paintCells(picture, side, side, kernel, (v) => diverging(v / limit));
      value.textContent = adds;
      button.setAttribute("aria-pressed", String(channel === shown));
      button.title = `channel ${channel} adds ${adds} at the peak`;
      box.checked = isTicked || channel === shown;
      box.disabled = channel === shown;
    },
  };
}
