// Elements of the page.

/** @typedef {string | number | boolean | undefined | ((event: any) => unknown)} Property */

/**
 * Make an element: h("button", {class: "x", onclick: f, "aria-label": "…"}, child, …).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Property>} properties attributes; a function is a listener, true an attribute without a value,
 *   false and undefined none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * The element with the focus in the part of the page that an element is in: within a shadow root, where some hosts show
 * widgets, `document.activeElement` is only the host of the root.
 * @param {Node} within
 */
export const focusedIn = (within) => /** @type {Document | ShadowRoot} */ (within.getRootNode()).activeElement ?? null;

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  play: "M4 2.5v11L13.5 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  on: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  down: "M3 5h10l-5 7z",
};

/** @typedef {keyof typeof ICONS} IconName */

/** @param {IconName} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {IconName} name
 * @param {string} label
 * @param {() => void} onclick
 */
export const iconButton = (name, label, onclick) =>
  h("button", { class: "dkd-icon", title: label, "aria-label": label, onclick }, icon(name));

/**
 * The 2-d context of a canvas, which a browser refuses only where it is out of memory.
 * @param {HTMLCanvasElement} canvas
 */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser has no memory left for a canvas.");
  return context;
}
