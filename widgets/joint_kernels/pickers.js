// The heading: what is shown, and the controls that choose frame and joint.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Header } from "../core/types.d.ts" */

import { h, iconButton } from "../core/dom.js";
import { readable } from "../core/text.js";

/** @param {CursorState} cursor */
export function buildPickers(cursor) {
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const onchange = () => void cursor.set("joint", joint.value);
  const joint = h("select", { "aria-label": "Joint", title: "The joint that is searched for", onchange });
  const steps = h(
    "span",
    { class: "dkd-buttons" },
    iconButton("back", "Previous frame", () => cursor.step(-1)),
    iconButton("on", "Next frame", () => cursor.step(1)),
  );
  return {
    element: h("header", {}, title, note, h("div", { class: "dkd-joint-pickers" }, steps, joint)),
    /** @param {Header} header */
    header(header) {
      joint.replaceChildren(...header.joints.map((name) => h("option", { value: name }, readable(name))));
    },
    /** @type {(name: string, frame: number) => void} */
    say(name, frame) {
      title.textContent = `Kernels at the joint · ${readable(name)}`;
      note.textContent = `frame ${frame}`;
      joint.value = name;
    },
  };
}
