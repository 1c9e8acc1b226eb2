// Level 2 of the anatomy: one channel's kernel slides over that channel's projected features, cell by cell.

import { patchAt } from "../core/arithmetic.js";
import { diverging, isDark } from "../core/colours.js";
import { h, icon, iconButton } from "../core/dom.js";
import { paintCells, signLegend } from "../core/drawing.js";
import { clamp, signed } from "../core/text.js";
import { place } from "../core/tiles.js";
import { largestOf, onArrows, rough } from "./boxes.js";

const SLIDE_SPEEDS = [2, 8, 32, 128]; // cells a second
const RIM = { light: [222, 222, 222], dark: [62, 64, 70] }; // outside the map, and cells that are not computed yet

export function buildSlide({ pin }, signal) {
  let scene = null;
  let about = ""; // what the scene is of, to see when it is of something else
  let step = 0; // the output cell under the window: row by row
  let output = null; // the channel's matched map
  let raf = 0;

  const canvases = {};
  const picture = (name, label) => {
    canvases[name] = h("canvas", { class: "dkd-cells", width: 1, height: 1, role: "img", "aria-label": label });
    return canvases[name];
  };
  const windowBox = h("span", { class: "dkd-cellbox dkd-window" });
  const outputBox = h("span", { class: "dkd-cellbox" });
  const what = h("span", { class: "dkd-muted" });
  const sum = h("div", { class: "dkd-slide-sum" });
  const patchScale = h("small", { class: "dkd-muted" });
  const kernelScale = h("small", { class: "dkd-muted" });
  const productScale = h("small", { class: "dkd-muted" });
  const column = (title, canvas, foot = "") =>
    h("div", { class: "dkd-slide-column" }, h("small", {}, title), canvas, foot);
  const over = (canvas, box, className) => h("div", { class: `dkd-large ${className}` }, canvas, box);
  const target = over(picture("output", "what the kernel has found so far"), outputBox, "dkd-slide-output");
  const slider = h("input", {
    type: "range",
    min: 0,
    "aria-label": "Output cell",
    title: "The output cell that is computed",
    oninput: () => move(slider.valueAsNumber),
  });
  const play = iconButton("play", "Play: slide the kernel", () => toggle());
  const speed = h(
    "select",
    { "aria-label": "Cells a second", title: "Cells a second" },
    ...SLIDE_SPEEDS.map((s) => h("option", { value: s, selected: s === 32 }, `${s} cells/s`)),
  );
  const pinButton = h(
    "button",
    {
      class: "dkd-button",
      title: "Take the window's cell as the cell that is explained",
      onclick: () => pin(...cellOf(step)),
    },
    "explain this cell",
  );
  const quiet = h("small", { class: "dkd-muted" }, "Motion is reduced: step with the buttons or the arrow keys.");
  const stage = h(
    "div",
    {
      class: "dkd-slide",
      tabindex: 0,
      role: "group",
      "aria-label": "The sliding window: arrow keys move it by a cell or a row, Home and End to the ends, Space plays",
    },
    h(
      "div",
      { class: "dkd-slide-pictures" },
      column(
        "projected channel",
        over(picture("input", "the projected channel"), windowBox, "dkd-slide-input"),
        h("small", { class: "dkd-muted" }, "grey rim: outside the map, counts as 0"),
      ),
      h(
        "div",
        { class: "dkd-slide-middle" },
        h(
          "div",
          { class: "dkd-slide-equation" },
          column("window", picture("patch", "the features in the window"), patchScale),
          h("span", { class: "dkd-op" }, "×"),
          column("kernel K̃", picture("kernel", "the kernel"), kernelScale),
          h("span", { class: "dkd-op" }, "="),
          column("products", picture("products", "window times kernel"), productScale),
        ),
        sum,
      ),
      column("matched channel", target, h("small", { class: "dkd-muted" }, "grey: not computed yet")),
    ),
    h(
      "div",
      { class: "dkd-row" },
      h(
        "span",
        { class: "dkd-buttons" },
        iconButton("first", "First cell", () => move(0)),
        iconButton("back", "One cell back", () => move(step - 1)),
        play,
        iconButton("on", "One cell on", () => move(step + 1)),
        iconButton("last", "Last cell: the whole map", () => move(Infinity)),
      ),
      slider,
      speed,
      pinButton,
      quiet,
    ),
  );
  const element = h(
    "section",
    { class: "dkd-level dkd-level-2", "aria-label": "2: how this map was computed" },
    h("h4", {}, "2 · How this map was computed ", what),
    stage,
  );

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const calm = () => {
    if (still.matches) pause();
    play.hidden = speed.hidden = still.matches;
    quiet.hidden = !still.matches;
  };
  still.addEventListener("change", calm, { signal });
  signal.addEventListener("abort", () => cancelAnimationFrame(raf));
  calm();

  const width = () => scene.header.map[0];
  const count = () => scene.header.map[0] * scene.header.map[1];
  const cellOf = (k) => [k % width(), Math.floor(k / width())];
  onArrows(stage, (dx, dy) => move(step + dx + dy * width()));
  stage.addEventListener("keydown", (event) => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { Home: () => move(0), End: () => move(Infinity), " ": () => toggle() }[event.key];
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  });
  target.addEventListener("click", (event) => {
    const { left, top, width: wide, height: high } = target.getBoundingClientRect();
    const [columns, rows] = scene.header.map;
    const x = clamp(Math.floor(((event.clientX - left) / wide) * columns), 0, columns - 1);
    const y = clamp(Math.floor(((event.clientY - top) / high) * rows), 0, rows - 1);
    pin(x, y);
  });
  target.title = "Click a cell to have it explained";

  function move(to) {
    pause();
    go(to);
  }
  function go(to) {
    if (!scene) return;
    step = clamp(Math.floor(to), 0, count() - 1);
    draw();
  }
  function pause() {
    cancelAnimationFrame(raf);
    raf = 0;
    label();
  }
  function label() {
    const name = raf ? "pause" : "play";
    play.replaceChildren(icon(name));
    play.title = raf ? "Pause" : "Play: slide the kernel";
    play.setAttribute("aria-label", play.title);
  }
  function toggle() {
    if (raf) return pause();
    if (still.matches || !scene) return;
    if (step === count() - 1) step = 0;
    let before = performance.now();
    let position = step;
    const tick = (now) => {
      position += (Math.min(250, now - before) / 1000) * Number(speed.value);
      before = now;
      if (Math.floor(position) !== step) go(position);
      if (step === count() - 1) return pause();
      raf = requestAnimationFrame(tick);
    };
    raf = requestAnimationFrame(tick);
    label();
  }

  function draw() {
    const { header, detail, channel } = scene;
    const [columns, rows] = header.map;
    const side = header.kernel;
    const reach = (side - 1) / 2;
    const [x, y] = cellOf(step);
    const patch = patchAt(header, detail, channel, x, y);
    const kernel = kernelOf(scene);
    const products = patch.map((p, i) => p * kernel[i]);
    const largest = Math.max(largestOf(kernel) * scene.largest, 1e-12);
    const shades = (scale) => (v) => (Number.isNaN(v) ? RIM[isDark() ? "dark" : "light"] : diverging(v / scale));
    paintCells(canvases.patch, side, side, patch, shades(scene.largest));
    paintCells(canvases.products, side, side, products, shades(largest));
    productScale.textContent = `±${rough(largest)}`;
    const filled = output.map((v, k) => (k <= step ? v : NaN));
    paintCells(canvases.output, columns, rows, filled, shades(largestOf(output)));
    place(windowBox, x + reach, y + reach, [columns + side - 1, rows + side - 1]);
    place(outputBox, x, y, header.map);
    slider.value = step;
    sum.textContent = `Σ = ${signed(output[step], 4)} at (${x}, ${y})`;
    Object.assign(stage.dataset, { step, channel, sum: output[step], x, y });
  }

  return {
    element,
    paint(next) {
      scene = next;
      const { header, detail, channel, cell, frame } = scene;
      const [columns, rows] = header.map;
      const side = header.kernel;
      const reach = (side - 1) / 2;
      const [wide, high] = [columns + side - 1, rows + side - 1];
      const kernel = kernelOf(scene);
      const projected = detail.projected.subarray(channel * columns * rows, (channel + 1) * columns * rows);
      scene.largest = largestOf(projected);
      output = Float32Array.from({ length: columns * rows }, (_, k) =>
        patchAt(header, detail, channel, ...cellOf(k)).reduce((total, p, i) => total + p * kernel[i], 0),
      );
      const rimmed = Float32Array.from({ length: wide * high }, (_, k) => {
        const [x, y] = [(k % wide) - reach, Math.floor(k / wide) - reach];
        return x < 0 || y < 0 || x >= columns || y >= rows ? NaN : projected[y * columns + x];
      });
      const rim = RIM[isDark() ? "dark" : "light"];
      paintCells(canvases.input, wide, high, rimmed, (v) => (Number.isNaN(v) ? rim : diverging(v / scene.largest)));
      paintCells(canvases.kernel, side, side, kernel, (v) => diverging(v / largestOf(kernel)));
      patchScale.textContent = `±${rough(scene.largest)}`;
      kernelScale.textContent = `±${rough(largestOf(kernel))}`;
      what.replaceChildren(
        `· channel ${channel}: its kernel of frame ${frame - 1} over its features of frame ${frame} `,
        signLegend(),
      );
      windowBox.style.width = `${(100 * side) / wide}%`;
      windowBox.style.height = `${(100 * side) / high}%`;
      outputBox.style.width = `${100 / columns}%`;
      outputBox.style.height = `${100 / rows}%`;
      slider.max = columns * rows - 1;
      const now = [header.generation, frame, cell.x, cell.y, channel].join();
      if (now !== about) {
        about = now;
        move(cell.y * columns + cell.x);
      } else draw();
    },
  };
}

// The kernel K̃ of the scene's channel, as it was distilled.
export function kernelOf({ header: { kernel: side }, detail, channel }) {
  return detail.kernels.subarray(channel * side * side, (channel + 1) * side * side);
}
