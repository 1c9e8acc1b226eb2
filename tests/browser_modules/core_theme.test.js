// Light or dark, as the host says it.

import { afterEach, expect, test, vi } from "vitest";
import { isDark } from "../../widgets/core/theme.js";

afterEach(() => vi.unstubAllGlobals());

/** @param {object} body @param {object} html @param {boolean} system */
function page(body, html = {}, system = false) {
  const element = (/** @type {object} */ given) => ({ className: "", dataset: {}, ...given });
  vi.stubGlobal("document", { body: element(body), documentElement: element(html) });
  vi.stubGlobal("matchMedia", () => ({ matches: system }));
}

test.each([
  [{ dataset: { jpThemeLight: "false" } }, {}, false, true],
  [{ dataset: { jpThemeLight: "true" }, className: "dark" }, {}, true, false],
  [{ className: "vscode-dark" }, {}, false, true],
  [{ className: "vscode-light" }, {}, true, false],
  [{ className: "vscode-high-contrast" }, {}, false, true],
  [{ className: "vscode-high-contrast-light" }, {}, true, false],
  [{ className: "dark dark-theme" }, {}, false, true],
  [{}, { className: "dark" }, false, true],
  [{}, { dataset: { theme: "dark" } }, false, true],
  [{ dataset: { theme: "light" } }, {}, true, false],
  [{ className: "darkroom lighthouse" }, {}, false, false],
  [{}, {}, true, true],
  [{}, {}, false, false],
])("%o in %o, and the system dark: %o", (body, html, system, expected) => {
  page(body, html, system);
  expect(isDark()).toBe(expected);
});
