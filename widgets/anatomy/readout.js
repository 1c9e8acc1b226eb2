// The joint's read-out weights of the shown channels, as bars about 0.

/** @import { Scene } from "./tensors.js" */

import { h } from "../core/dom.js";
import { signed } from "../core/text.js";
import { setBar } from "./elements.js";
import { largestOf, PICKS } from "./tensors.js";

/** @param {(channel: number) => void} choose */
export function buildReadout(choose) {
  const rows = Array.from({ length: PICKS }, () => {
    const [name, bar, value] = [h("span"), h("i"), h("b")];
    const button = h(
      "button",
      { class: "dkd-weight", onclick: () => void choose(Number(button.dataset.channel)) },
      name,
      h("span", { class: "dkd-contribution" }, bar),
      value,
    );
    return { name, bar, value, button };
  });
  return {
    element: h("div", { class: "dkd-weights" }, ...rows.map(({ button }) => button)),
    /** @param {Pick<Scene, "shown" | "channel" | "readout">} scene */
    paint({ shown, channel, readout }) {
      const largest = largestOf(shown.map(readout));
      rows.forEach(({ name, bar, value, button }, i) => {
        button.hidden = i >= shown.length;
        if (button.hidden) return;
        const weight = readout(shown[i]);
        name.textContent = String(shown[i]);
        value.textContent = signed(weight, 2);
        setBar(bar, weight / largest);
        button.dataset.channel = String(shown[i]);
        button.title = `U of channel ${shown[i]}: ${signed(weight)}`;
        button.setAttribute("aria-pressed", String(shown[i] === channel));
      });
    },
  };
}
