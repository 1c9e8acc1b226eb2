// Drawing on canvases.

import { diverging, viridis } from "./colours.js";
import { h } from "./dom.js";

// A straight line, in the context's stroke style.
export function stroke(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

// The diverging colours from − to +, as a key.
export function signLegend() {
  const canvas = h("canvas", { class: "dkd-scalebar", "aria-hidden": "true" });
  const values = Float32Array.from({ length: 65 }, (_, i) => (i - 32) / 32);
  paintCells(canvas, values.length, 1, values, diverging);
  return h("span", { class: "dkd-muted" }, "− ", canvas, " +");
}

// Paint width × height values into a canvas of that many pixels; colour(value) → [r, g, b].
export function paintCells(canvas, width, height, values, colour) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([...colour(values[i]), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

// The colours of a map's 256 byte values; alpha(value) → 0..255.
export function mapColours(header, alpha = () => 255) {
  const [low, high] = header.map_range;
  const colours = new Uint8ClampedArray(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const value = low + ((high - low) * byte) / 255;
    colours.set([...viridis(value), alpha(value)], 4 * byte);
  }
  return new Uint32Array(colours.buffer);
}

// Paint a joint's map out of a record, a pixel a cell. 13 of these a frame: so by table, without an object a cell.
export function paintMap(canvas, header, record, joint, colours) {
  const [width, height] = header.map;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const bytes = mapBytes(header, record, joint);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[bytes[i]];
  context.putImageData(image, 0, 0);
}

export function mapBytes(header, record, joint) {
  const area = header.map[0] * header.map[1];
  return record.maps.subarray(joint * area, (joint + 1) * area);
}

// Keep a canvas's pixels fitted to its place on the screen. Returns fit() → [width, height] in CSS pixels, in which
// drawing is done, too; it asks nothing of the page's layout, so it costs nothing in every frame. changed() is called
// when the canvas has another size, or has lost what was drawn on it.
export function fitted(canvas, signal, changed) {
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
