// Level 2 of the anatomy: one channel's kernel slides over that channel's projected features, cell by cell.

/** @import { Colour } from "../core/types.d.ts" */
/** @import { Scene } from "./tensors.js" */

import { kernelOf } from "../core/arithmetic.js";
import { diverging } from "../core/colours.js";
import { icon } from "../core/dom.js";
import { paintCells, signLegend } from "../core/drawing.js";
import { signed } from "../core/text.js";
import { isDark } from "../core/theme.js";
import { cellUnder, place } from "../core/tiles.js";
import { sizeOfCell } from "./cells.js";
import { rough } from "./elements.js";
import { Playback } from "./playback.js";
import { buildSlidePage } from "./slide_page.js";
import { cellOf, computedSoFar, matchedChannel, nearestStep, rimmed, stepByKey, windowAt } from "./sliding.js";
import { largestOf } from "./tensors.js";

const RIM = { light: [222, 222, 222], dark: [62, 64, 70] }; // outside the map, and cells that are not computed yet

/**
 * @param {{ pin: (x: number, y: number) => void }} links
 * @param {AbortSignal} signal
 */
export function buildSlide({ pin }, signal) {
  /** @type {Shown | null} */
  let shown = null;
  let about = ""; // what it shows, to see when that is something else
  let step = 0; // the output cell under the window

  const playback = new Playback({
    speed: () => Number(page.speed.value),
    go: (to) => {
      go(to);
      return shown !== null && step < shown.output.length - 1;
    },
    changed: (isPlaying) => {
      page.play.replaceChildren(icon(isPlaying ? "pause" : "play"));
      page.play.title = isPlaying ? "Pause" : "Play: slide the kernel";
      page.play.setAttribute("aria-label", page.play.title);
    },
  });
  const page = buildSlidePage({
    move: (to) => move(to(step)),
    toggle,
    pin: () => shown && pin(...cellOf(step, shown.scene.header.map[0])),
  });

  /** @param {number} to */
  function go(to) {
    if (!shown) return;
    step = nearestStep(to, shown.scene.header.map);
    paintStep(page, shown, step);
  }
  /** @param {number} to */
  function move(to) {
    playback.stop();
    go(to);
  }
  function toggle() {
    if (playback.isPlaying) return playback.stop();
    if (still.matches || !shown) return;
    if (step === shown.output.length - 1) step = 0;
    playback.start(step);
  }

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const calm = () => {
    if (still.matches) playback.stop();
    page.play.hidden = page.speed.hidden = still.matches;
    page.quiet.hidden = !still.matches;
  };
  still.addEventListener("change", calm, { signal });
  signal.addEventListener("abort", () => playback.stop());
  calm();

  page.stage.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (!shown || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof Element && target.matches("input, select")) return;
    const to = stepByKey(key, step, shown.scene.header.map[0]);
    const isPlay = key === " ";
    if ((to === null && !isPlay) || (!key.startsWith("Arrow") && target !== page.stage)) return;
    if (to !== null) move(to);
    else toggle();
    event.preventDefault();
    event.stopPropagation();
  });
  page.target.addEventListener("click", (event) => {
    if (shown) pin(...cellUnder(event, page.target.getBoundingClientRect(), shown.scene.header.map));
  });

  return {
    element: page.element,
    /** @param {Scene} scene */
    paint(scene) {
      const { header, channel, cell, frame } = scene;
      shown = paintChannel(page, scene);
      const now = [header.generation, frame, cell.x, cell.y, channel].join();
      if (now === about) return paintStep(page, shown, step);
      about = now;
      move(cell.y * header.map[0] + cell.x);
    },
  };
}

/**
 * What stays while the window slides.
 *
 * @typedef {object} Shown
 * @property {Scene} scene
 * @property {Float32Array} output the channel's matched map
 * @property {number} largest magnitude of its projected features
 */

/** @typedef {import("./slide_page.js").SlidePage} SlidePage */

/** @type {(scale: number) => (value: number) => Colour} */
const shades = (scale) => (value) =>
  Number.isNaN(value) ? RIM[isDark() ? "dark" : "light"] : diverging(value / scale);

/**
 * Paint what stays while the window slides: the projected channel and the kernel.
 *
 * @param {SlidePage} page
 * @param {Scene} scene
 * @returns {Shown}
 */
function paintChannel(page, scene) {
  const { header, detail, channel, frame } = scene;
  const side = header.kernel;
  const kernel = kernelOf(detail.kernels, side, channel);
  const { values, wide, high } = rimmed(header, detail, channel);
  const largest = largestOf(values.map((v) => v || 0));
  paintCells(page.canvases.input, wide, high, values, shades(largest));
  paintCells(page.canvases.kernel, side, side, kernel, shades(largestOf(kernel)));
  page.scales.patch.textContent = `±${rough(largest)}`;
  page.scales.kernel.textContent = `±${rough(largestOf(kernel))}`;
  page.what.replaceChildren(
    `· channel ${channel}: its kernel of frame ${detail.previous} over its features of frame ${frame} `,
    signLegend(),
  );
  page.windowBox.style.width = `${(100 * side) / wide}%`;
  page.windowBox.style.height = `${(100 * side) / high}%`;
  sizeOfCell(page.outputBox, header.map);
  const output = matchedChannel(header, detail, channel);
  page.slider.max = String(output.length - 1);
  return { scene, output, largest };
}

/** @type {(page: SlidePage, shown: Shown, step: number) => void} */
function paintStep(page, { scene, output, largest }, step) {
  const { header, detail, channel } = scene;
  const [columns, rows] = header.map;
  const side = header.kernel;
  const [x, y] = cellOf(step, columns);
  const { patch, kernel, products } = windowAt(header, detail, channel, [x, y]);
  const most = Math.max(largestOf(kernel) * largest, 1e-12); // no product is larger
  paintCells(page.canvases.patch, side, side, patch, shades(largest));
  paintCells(page.canvases.products, side, side, products, shades(most));
  page.scales.products.textContent = `±${rough(most)}`;
  paintCells(page.canvases.output, columns, rows, computedSoFar(output, step), shades(largestOf(output)));
  const reach = (side - 1) / 2;
  place(page.windowBox, x + reach, y + reach, [columns + side - 1, rows + side - 1]);
  place(page.outputBox, x, y, header.map);
  page.slider.value = String(step);
  page.sum.textContent = `Σ = ${signed(output[step], 4)} at (${x}, ${y})`;
  Object.assign(page.stage.dataset, { step, channel, sum: output[step], x, y });
}
