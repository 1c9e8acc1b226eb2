// What all views share: colours, and drawing on canvases.

const VIRIDIS = Array.from({ length: 256 }, (_, i) =>
  [0, 2, 4].map((k) => parseInt(VIRIDIS_HEX.slice(6 * i + k, 6 * i + k + 2), 16)),
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
const MAP_SHOWN = [0, 1]; // map values that viridis spans everywhere; below is drawn as 0, above as 1

const isDark = () => document.body.dataset.jpThemeLight === "false";
const viridis = (value) =>
  VIRIDIS[Math.round(clamp((value - MAP_SHOWN[0]) / (MAP_SHOWN[1] - MAP_SHOWN[0]), 0, 1) * 255)];
function diverging(value) {
  const [negative, zero, positive] = DIVERGING[isDark() ? "dark" : "light"];
  const share = clamp(Math.abs(value), 0, 1);
  const end = value < 0 ? negative : positive;
  return zero.map((z, k) => z + (end[k] - z) * share);
}

// The colours of the style sheet, for canvases; asked for once a theme, since asking makes the browser lay out.
const palettes = new WeakMap();
function palette(root) {
  const theme = `${document.body.dataset.jpThemeName} ${isDark()}`;
  if (palettes.get(root)?.theme === theme) return palettes.get(root);
  const style = getComputedStyle(root);
  const names = ["ink", "muted", "line", "back", "accent", "left", "right", "centre"];
  const colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--dkd-${name}`).trim()]));
  palettes.set(root, { ...colours, theme, font: style.fontFamily });
  return palettes.get(root);
}

// ---- drawing

// A straight line, in the context's stroke style.
function stroke(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

// The diverging colours from − to +, as a key.
function signLegend() {
  const canvas = h("canvas", { class: "dkd-scalebar", "aria-hidden": "true" });
  const values = Float32Array.from({ length: 65 }, (_, i) => (i - 32) / 32);
  paintCells(canvas, values.length, 1, values, diverging);
  return h("span", { class: "dkd-muted" }, "− ", canvas, " +");
}

// Paint width × height values into a canvas of that many pixels; colour(value) → [r, g, b].
function paintCells(canvas, width, height, values, colour) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([...colour(values[i]), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

// The colours of a map's 256 byte values; alpha(value) → 0..255.
function mapColours(header, alpha = () => 255) {
  const [low, high] = header.map_range;
  const colours = new Uint8ClampedArray(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const value = low + ((high - low) * byte) / 255;
    colours.set([...viridis(value), alpha(value)], 4 * byte);
  }
  return new Uint32Array(colours.buffer);
}

// Paint a joint's map out of a record, a pixel a cell. 13 of these a frame: so by table, without an object a cell.
function paintMap(canvas, header, record, joint, colours) {
  const [width, height] = header.map;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const bytes = mapBytes(header, record, joint);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[bytes[i]];
  context.putImageData(image, 0, 0);
}

function mapBytes(header, record, joint) {
  const area = header.map[0] * header.map[1];
  return record.maps.subarray(joint * area, (joint + 1) * area);
}

// Keep a canvas's pixels fitted to its place on the screen. Returns fit() → [width, height] in CSS pixels, in which
// drawing is done, too; it asks nothing of the page's layout, so it costs nothing in every frame. changed() is called
// when the canvas has another size, or has lost what was drawn on it.
function fitted(canvas, signal, changed) {
  let size = [0, 0];
  const observer = new ResizeObserver(([entry]) => {
    size = [entry.contentRect.width, entry.contentRect.height];
    changed();
  });
  observer.observe(canvas);
  signal.addEventListener("abort", () => observer.disconnect());
  canvas.addEventListener("contextrestored", changed, { signal });
  return () => {
    const ratio = globalThis.devicePixelRatio || 1;
    const [width, height] = size.map((length) => Math.round(length * ratio));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    return size;
  };
}
