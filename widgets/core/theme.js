// Light or dark, in any host: JupyterLab says which, others have a mark of their own, and else it is the system's choice.

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
 * Tell the style sheet the theme, and whether the host has no colours for us: then a view is a card of its own.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function followTheme(root, signal) {
  const update = () => {
    root.dataset.dkdTheme = isDark() ? "dark" : "light";
    root.toggleAttribute("data-dkd-card", !isJupyter());
  };
  watchTheme(update, signal);
  update();
}
