// The pictures of the view: the patch that was looked for, and maps over the picture that the network saw.

/** @import { Colour } from "../core/types.d.ts" */

import { diverging, viridis } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { colourBar, place } from "../core/tiles.js";

const OUTSIDE = "#808080"; // what lies outside the frame is grey to the network, too
const PATCH_PX = 240;

/** The patch of the frame before, enlarged, with the borders of its cells. */
export function buildPatch() {
  const canvas = h("canvas", { class: "dkd-cells", role: "img", width: PATCH_PX, height: PATCH_PX });
  const { element, caption } = buildFigure("what was looked for", canvas);
  return {
    element,
    /**
     * @param {ImageBitmap} picture
     * @param {{ left: number, top: number, side: number }} patch in pixels of the picture
     * @param {number} cells across
     * @param {string} words
     */
    paint(picture, { left, top, side }, cells, words) {
      const context = context2d(canvas);
      const scale = PATCH_PX / side;
      context.fillStyle = OUTSIDE;
      context.fillRect(0, 0, PATCH_PX, PATCH_PX);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, -left * scale, -top * scale, picture.width * scale, picture.height * scale);
      for (const [width, colour] of /** @type {const} */ ([
        [3, "rgba(0, 0, 0, .45)"],
        [1, "rgba(255, 255, 255, .8)"],
      ])) {
        Object.assign(context, { lineWidth: width, strokeStyle: colour });
        context.beginPath();
        for (let i = 1; i < cells; i++) {
          const at = Math.round((i * PATCH_PX) / cells);
          context.moveTo(at, 0);
          context.lineTo(at, PATCH_PX);
          context.moveTo(0, at);
          context.lineTo(PATCH_PX, at);
        }
        context.stroke();
      }
      caption.textContent = words;
      canvas.setAttribute("aria-label", `What was looked for: ${words}`);
    },
  };
}

/**
 * A map over the picture that the network saw, with marks.
 *
 * @param {string} title
 * @param {(value: number) => Colour} colour
 * @param {Node} bar
 */
function buildMap(title, colour, bar) {
  const under = h("img", { class: "dkd-under", alt: "" });
  const cells = h("canvas", { class: "dkd-cells dkd-joint-cells", role: "img" });
  const marks = ["dkd-peak", "dkd-joint-best", "dkd-joint-other"].map((style) =>
    h("span", { class: `dkd-mark ${style}`, hidden: true }),
  );
  const large = h("div", { class: "dkd-large dkd-joint-map" }, under, cells, ...marks);
  const { element, caption } = buildFigure(title, large, bar);
  return {
    element,
    /**
     * @param {string} url of the picture
     * @param {Float32Array} values
     * @param {readonly [number, number]} map
     * @param {(number | null)[]} marked cells of the marks: the map's peak, the best response, the other joint's
     * @param {string} words
     */
    paint(url, values, map, marked, words) {
      under.src = url;
      paintCells(cells, ...map, values, colour);
      marks.forEach((mark, i) => {
        const at = marked[i] ?? null;
        mark.hidden = at === null;
        if (at !== null) place(mark, at % map[0], Math.floor(at / map[0]), [...map]);
      });
      caption.textContent = words;
      cells.setAttribute("aria-label", `${title}: ${words}`);
    },
  };
}

/** @param {string} title */
export function buildResponse(title) {
  const bar = buildResponseBar();
  const { element, paint } = buildMap(title, diverging, bar.element);
  return {
    element,
    /** @type {typeof paint} */
    paint(...given) {
      bar.paint(); // the theme may be another
      paint(...given);
    },
  };
}

/** @param {string} title */
export const buildHeatmap = (title) => buildMap(title, viridis, colourBar());

/** The one scale of all responses. */
function buildResponseBar() {
  const title = "Response: 1 where the cells look the same as those that are remembered, −1 the opposite";
  const canvas = h("canvas", { "aria-hidden": "true" });
  const values = Float32Array.from({ length: 129 }, (_, i) => (i - 64) / 64);
  const ticks = ["−1", "0", "1"].map((text) => h("span", {}, text));
  return {
    element: h("div", { class: "dkd-bar", title }, canvas, h("div", {}, ...ticks)),
    paint: () => paintCells(canvas, values.length, 1, values, diverging),
  };
}

/**
 * @param {string} title
 * @param {...Node} content
 */
function buildFigure(title, ...content) {
  const caption = h("small", { class: "dkd-muted" });
  const element = h("figure", { class: "dkd-joint-figure" }, h("figcaption", {}, title), ...content, caption);
  return { element, caption };
}
