// A field for a path on the kernel's machine, with completion: a combobox with a list, by mouse or keys.

import { h } from "../core/dom.js";

/** @import { Link } from "./link.js" */

/** @typedef {{ path: string, name: string, kind: "folder" | "images" | "video" | "session" }} Entry */

const KINDS = { folder: "folder", images: "folder of images", video: "video", session: "session" };
let count = 0;

/**
 * @param {Link} link
 * @param {{ label: string, action: string, placeholder: string, chosen: (path: string) => void }} about
 */
export function buildPathField(link, { label, action, placeholder, chosen }) {
  const id = `dkd-paths-${count++}`;
  const input = h("input", {
    type: "text",
    role: "combobox",
    class: "dkd-path-input",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
    placeholder,
    spellcheck: "false",
    autocomplete: "off",
  });
  const list = h("ul", { id, role: "listbox", class: "dkd-path-list", "aria-label": "Completions", hidden: true });
  const form = h(
    "form",
    { class: "dkd-path" },
    h("div", { class: "dkd-path-field" }, input, list),
    h("button", { class: "dkd-button", type: "submit" }, action),
  );
  /** @type {Entry[]} */
  let entries = [];
  let at = -1;

  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const ask = () => link.send({ type: "complete", text: input.value });
  const take = (/** @type {Entry} */ entry) => {
    input.value = entry.path;
    input.focus();
    if (entry.kind === "folder") return ask();
    close();
    if (entry.kind !== "images") chosen(entry.path);
  };
  const mark = (/** @type {number} */ index) => {
    at = index;
    [...list.children].forEach((item, i) => {
      item.setAttribute("aria-selected", String(i === at));
      if (i === at) item.scrollIntoView({ block: "nearest" });
    });
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `${id}-${at}`);
  };
  const show = (/** @type {number} */ more) => {
    const items = entries.map((entry, i) =>
      h(
        "li",
        {
          id: `${id}-${i}`,
          role: "option",
          "aria-selected": "false",
          onpointerdown: (/** @type {Event} */ event) => {
            event.preventDefault(); // the field keeps the focus
            take(entry);
          },
        },
        h("span", {}, entry.name),
        h("small", { class: "dkd-muted" }, KINDS[entry.kind]),
      ),
    );
    list.replaceChildren(...items);
    if (more) list.append(h("li", { class: "dkd-muted", role: "presentation" }, `and ${more} more: type on`));
    list.hidden = !entries.length;
    input.setAttribute("aria-expanded", String(entries.length > 0));
    mark(-1);
  };

  link.on("completions", (message) => {
    if (message.text !== input.value || !input.matches(":focus")) return;
    entries = message.entries;
    show(message.more);
  });
  input.addEventListener("input", ask);
  input.addEventListener("focus", ask);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (list.hidden) ask();
      else mark((at + (key === "ArrowDown" ? 1 : -1) + entries.length) % entries.length);
    } else if (key === "Escape" && !list.hidden) close();
    else if (key === "Tab" && !list.hidden && entries.length === 1) take(entries[0]);
    else if (key === "Enter" && at >= 0) take(entries[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    close();
    if (input.value.trim()) chosen(input.value.trim());
  });
  return { element: form, input };
}
