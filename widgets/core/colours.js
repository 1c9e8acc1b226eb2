// Colours of maps, signs and sides.

import tables from "./tables.json" with { type: "json" };
import { clamp } from "./text.js";
import { isDark } from "./theme.js";

/** @import { Colour, Palette } from "./types.d.ts" */

const VIRIDIS = Array.from({ length: 256 }, (_, i) =>
  [0, 2, 4].map((k) => Number.parseInt(tables.viridis.slice(6 * i + k, 6 * i + k + 2), 16)),
);

// Diverging about 0: purple below, green above (both apart from the blue and orange of left and right), by theme.
const DIVERGING = {
  light: { negative: [118, 42, 131], zero: [247, 247, 247], positive: [27, 120, 55] },
  dark: { negative: [205, 150, 222], zero: [36, 38, 43], positive: [126, 214, 144] },
};

/** Map values that viridis spans everywhere; below is drawn as 0, above as 1. */
export const MAP_SHOWN = tables.map_shown;

/**
 * The colour of a map's value.
 * @param {number} value
 * @returns {Colour}
 */
export const viridis = (value) =>
  VIRIDIS[Math.round(clamp((value - MAP_SHOWN[0]) / (MAP_SHOWN[1] - MAP_SHOWN[0]), 0, 1) * 255)];

/**
 * The colour of a value from −1 to 1.
 * @param {number} value
 * @returns {Colour}
 */
export function diverging(value) {
  const { negative, zero, positive } = DIVERGING[isDark() ? "dark" : "light"];
  const share = clamp(Math.abs(value), 0, 1);
  const end = value < 0 ? negative : positive;
  return zero.map((z, k) => z + (end[k] - z) * share);
}

/**
 * The colour of text that can be read on a colour: of black and white, the one with more contrast, by the formula of the
 * Web Content Accessibility Guidelines.
 * @param {Colour} colour
 */
export function inkOn(colour) {
  const [r, g, b] = colour.map((v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) ** 2 > 1.05 * 0.05 ? "#000" : "#fff";
}

/** @type {Map<string, Palette>} */
const palettes = new Map();
const SMALL_PX = 11; // text in a drawing
const NAMES = ["ink", "muted", "line", "back", "accent", "left", "right", "centre"];

/**
 * The colours of the style sheet, for canvases; asked for once per theme and kind of view, since asking makes the
 * browser lay out.
 * @param {Element} root
 * @returns {Palette}
 */
export function palette(root) {
  const theme = `${document.body.dataset.jpThemeName} ${isDark()} ${root.className}`;
  const known = palettes.get(theme);
  if (known) return known;
  const style = getComputedStyle(root);
  const colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--dkd-${name}`).trim()]));
  const least = Number.parseFloat(style.getPropertyValue("--dkd-least")) || 0; // for the last row of an audience
  const small = `${Math.max(SMALL_PX, least)}px`;
  const made = /** @type {Palette} */ ({ ...colours, theme, font: style.fontFamily, small });
  palettes.set(theme, made);
  return made;
}
