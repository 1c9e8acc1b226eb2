// Colours of maps, signs and sides.

import { clamp } from "./text.js";
import tables from "./tables.json" with { type: "json" };

const VIRIDIS = Array.from({ length: 256 }, (_, i) =>
  [0, 2, 4].map((k) => parseInt(tables.viridis.slice(6 * i + k, 6 * i + k + 2), 16)),
);
// Diverging about 0: purple below, green above (both apart from the blue and orange of left and right), by theme.
const DIVERGING = {
  light: [
    [118, 42, 131],
    [247, 247, 247],
    [27, 120, 55],
  ],
  dark: [
    [205, 150, 222],
    [36, 38, 43],
    [126, 214, 144],
  ],
};
export const MAP_SHOWN = [0, 1]; // map values that viridis spans everywhere; below is drawn as 0, above as 1

export const isDark = () => document.body.dataset.jpThemeLight === "false";
export const viridis = (value) =>
  VIRIDIS[Math.round(clamp((value - MAP_SHOWN[0]) / (MAP_SHOWN[1] - MAP_SHOWN[0]), 0, 1) * 255)];
export function diverging(value) {
  const [negative, zero, positive] = DIVERGING[isDark() ? "dark" : "light"];
  const share = clamp(Math.abs(value), 0, 1);
  const end = value < 0 ? negative : positive;
  return zero.map((z, k) => z + (end[k] - z) * share);
}

// The colours of the style sheet, for canvases; asked for once a theme, since asking makes the browser lay out.
const palettes = new WeakMap();
export function palette(root) {
  const theme = `${document.body.dataset.jpThemeName} ${isDark()}`;
  if (palettes.get(root)?.theme === theme) return palettes.get(root);
  const style = getComputedStyle(root);
  const names = ["ink", "muted", "line", "back", "accent", "left", "right", "centre"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--dkd-${name}`).trim()]));
  palettes.set(root, { ...colours, theme, font: style.fontFamily });
  return palettes.get(root);
}
