// How a view looks in any host: light or dark, and with our style sheets, also within a shadow root.
// JupyterLab says which theme it has, others have a mark of their own, and else it is the system's choice.

const DARK = /(^|[\s-])dark([\s-]|$)|high-contrast(?!-light)/;
const LIGHT = /(^|[\s-])light([\s-]|$)/;
const MARKED = ["data-jp-theme-light", "data-jp-theme-name", "data-theme", "data-color-mode", "class"];

/** Whether the host has JupyterLab's colours, `--jp-…`. */
const isJupyter = () => document.body.dataset.jpThemeLight !== undefined;

/** Whether the page is dark. */
export function isDark() {
  if (isJupyter()) return document.body.dataset.jpThemeLight === "false";
  for (const element of [document.body, document.documentElement]) {
    // VS Code: vscode-dark; marimo: dark, dark-theme; Sphinx and others: data-theme="dark".
    const marks = `${element.className} ${element.dataset.theme ?? ""} ${element.dataset.colorMode ?? ""}`;
    if (DARK.test(marks)) return true;
    if (LIGHT.test(marks)) return false;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * Call back whenever the theme changes.
 * @param {() => void} callback
 * @param {AbortSignal} signal
 */
export function watchTheme(callback, signal) {
  const observer = new MutationObserver(callback);
  for (const element of [document.body, document.documentElement]) {
    observer.observe(element, { attributes: true, attributeFilter: MARKED });
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", callback, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * The page's style sheets do not reach into a shadow root, where marimo shows widgets: ours are copied into it.
 * @param {HTMLElement} root
 */
function carryStyles(root) {
  const within = root.getRootNode();
  if (!(within instanceof ShadowRoot)) return;
  for (const style of document.querySelectorAll("style[data-dkd-css]")) {
    const key = /** @type {HTMLElement} */ (style).dataset.dkdCss;
    if (!within.querySelector(`style[data-dkd-css="${key}"]`)) within.append(style.cloneNode(true));
  }
}

/**
 * Bring our style sheets to a view, and tell them the theme, and whether the host has no colours for us: a view is
 * then a card of its own.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function followTheme(root, signal) {
  const update = () => {
    root.dataset.dkdTheme = isDark() ? "dark" : "light";
    root.toggleAttribute("data-dkd-card", !isJupyter());
  };
  watchTheme(update, signal);
  carryStyles(root);
  update();
}
