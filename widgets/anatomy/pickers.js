// The anatomy's heading: what is shown, and the controls that choose frame, joint and channel.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Header } from "../core/types.d.ts" */

import { focusedIn, h, iconButton } from "../core/dom.js";
import { clamp, readable } from "../core/text.js";

/**
 * @param {CursorState} cursor
 * @param {(channel: number | null) => void} choose called with a channel; null: the one that contributes most
 */
export function buildPickers(cursor, choose) {
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const followed = "The channel that is followed through all levels";
  const channel = h("input", {
    type: "number",
    min: 0,
    class: "dkd-anatomy-channel",
    "aria-label": "Channel",
    title: followed,
    onchange: () => {
      const wanted = Math.round(channel.valueAsNumber);
      choose(Number.isFinite(wanted) ? clamp(wanted, 0, Number(channel.max)) : null);
    },
  });
  const most = "Follow the channel that contributes most at the cell";
  const strongest = h("button", { class: "dkd-button", title: most, onclick: () => choose(null) }, "strongest");
  const joint = h("select", {
    "aria-label": "Joint",
    title: "The joint whose map is explained",
    onchange: () => void cursor.set("joint", joint.value),
  });
  const steps = h(
    "span",
    { class: "dkd-buttons" },
    iconButton("back", "Previous frame", () => cursor.step(-1)),
    iconButton("on", "Next frame", () => cursor.step(1)),
  );
  const label = h("label", { class: "dkd-check", title: followed }, "channel ", channel);
  const pickers = h("div", { class: "dkd-anatomy-pickers" }, steps, joint, label, strongest);
  return {
    element: h("header", {}, title, note, pickers),
    /** @param {Header} header */
    header(header) {
      joint.replaceChildren(...header.joints.map((name) => h("option", { value: name }, readable(name))));
      channel.max = String(header.channels - 1);
    },
    /** @type {(name: string, frame: number) => void} */
    say(name, frame) {
      title.textContent = `Anatomy · ${readable(name)}`;
      note.textContent = `frame ${frame}`;
      joint.value = name;
    },
    /** @param {number} followed */
    sayChannel(followed) {
      if (focusedIn(channel) !== channel) channel.value = String(followed);
    },
  };
}
