// Drawing on canvases.

import { diverging, viridis } from "./colours.js";
import { context2d, h } from "./dom.js";

/** @import { Colour, FrameRecord, Header } from "./types.d.ts" */

/** @typedef {readonly [number, number]} Point */

/**
 * A straight line, in the context's stroke style.
 * @param {CanvasRenderingContext2D} context
 * @param {Point} from
 * @param {Point} to
 */
export function stroke(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

/** The diverging colours from − to +, as a key. */
export function signLegend() {
  const canvas = h("canvas", { class: "dkd-scalebar", "aria-hidden": "true" });
  const values = Float32Array.from({ length: 65 }, (_, i) => (i - 32) / 32);
  paintCells(canvas, values.length, 1, values, diverging);
  return h("span", { class: "dkd-muted" }, "− ", canvas, " +");
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function resize(canvas, width, height) {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
}

/**
 * Paint width × height values into a canvas of that many pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {ArrayLike<number>} values
 * @param {(value: number) => Colour} colour
 */
export function paintCells(canvas, width, height, values, colour) {
  resize(canvas, width, height);
  const context = context2d(canvas);
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([...colour(values[i]), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/**
 * The colours of a map's 256 byte values.
 * @param {Pick<Header, "map_range">} header
 * @param {(value: number) => number} alpha opacity of a value, 0..255
 */
export function mapColours(header, alpha = () => 255) {
  const [low, high] = header.map_range;
  const colours = new Uint8ClampedArray(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const value = low + ((high - low) * byte) / 255;
    colours.set([...viridis(value), alpha(value)], 4 * byte);
  }
  return new Uint32Array(colours.buffer);
}

/**
 * Paint a joint's map out of a record, one pixel per cell. 13 of these per frame: so by table, without an object per
 * cell.
 * @param {HTMLCanvasElement} canvas
 * @param {Pick<Header, "map">} header
 * @param {Pick<FrameRecord, "maps">} record
 * @param {number} joint
 * @param {Uint32Array} colours
 */
export function paintMap(canvas, header, record, joint, colours) {
  const [width, height] = header.map;
  resize(canvas, width, height);
  const context = context2d(canvas);
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const bytes = mapBytes(header, record, joint);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[bytes[i]];
  context.putImageData(image, 0, 0);
}

/**
 * @param {Pick<Header, "map">} header
 * @param {Pick<FrameRecord, "maps">} record
 * @param {number} joint
 */
export function mapBytes(header, record, joint) {
  const area = header.map[0] * header.map[1];
  return record.maps.subarray(joint * area, (joint + 1) * area);
}

/**
 * Keep a canvas's pixels fitted to its place on the screen.
 * @param {HTMLCanvasElement} canvas
 * @param {AbortSignal} signal
 * @param {() => void} changed called when the canvas has another size, or has lost what was drawn on it
 * @returns {() => [number, number]} fit(): the size in CSS pixels, in which drawing is done, too; it asks nothing of the
 *   page's layout, so it costs nothing in every frame
 */
export function fitted(canvas, signal, changed) {
  /** @type {[number, number]} */
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
    resize(canvas, Math.round(size[0] * ratio), Math.round(size[1] * ratio));
    context2d(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
    return size;
  };
}
