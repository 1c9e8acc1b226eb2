// The elements of the sliding window: three columns of pictures, and the controls below them.

import { h, iconButton } from "../core/dom.js";

const SPEEDS = [2, 8, 32, 128]; // cells per second
const SPEED = 32;

/** @typedef {ReturnType<typeof buildSlidePage>} SlidePage */

/**
 * @param {object} acts
 * @param {(step: (now: number) => number) => void} acts.move goes to another step
 * @param {() => void} acts.toggle plays or pauses
 * @param {() => void} acts.pin takes the window's cell as the cell that is explained
 */
export function buildSlidePage({ move, toggle, pin }) {
  const pictures = buildPictures();
  const controls = buildControls({ move, toggle, pin });
  const stage = h(
    "div",
    {
      class: "dkd-slide",
      tabindex: 0,
      role: "group",
      "aria-label": "The sliding window: arrow keys move it by a cell or a row, Home and End to the ends, Space plays",
    },
    pictures.pictures,
    controls.controls,
  );
  const what = h("span", { class: "dkd-muted" });
  const element = h(
    "section",
    { class: "dkd-level dkd-level-2", "aria-label": "2: how this map was computed" },
    h("h4", {}, "2 · How this map was computed ", what),
    stage,
  );
  return { ...pictures, ...controls, stage, what, element };
}

/** @param {string} label */
const picture = (label) => h("canvas", { class: "dkd-cells", width: 1, height: 1, role: "img", "aria-label": label });

/** @type {(title: string, canvas: Node, below: Node) => HTMLElement} */
const column = (title, canvas, below) => h("div", { class: "dkd-slide-column" }, h("small", {}, title), canvas, below);

/** @type {(...words: string[]) => HTMLElement} */
const small = (...words) => h("small", { class: "dkd-muted" }, ...words);

/** @param {string} sign */
const operator = (sign) => h("span", { class: "dkd-op" }, sign);

function buildPictures() {
  const canvases = {
    input: picture("the projected channel"),
    patch: picture("the features in the window"),
    kernel: picture("the kernel"),
    products: picture("window times kernel"),
    output: picture("the matched channel so far"),
  };
  const scales = { patch: small(), kernel: small(), products: small() };
  const windowBox = h("span", { class: "dkd-cellbox dkd-window" });
  const outputBox = h("span", { class: "dkd-cellbox" });
  const source = h("div", { class: "dkd-large dkd-slide-input" }, canvases.input, windowBox);
  const target = h("div", { class: "dkd-large dkd-slide-output" }, canvases.output, outputBox);
  target.title = "Click a cell to explain it";
  const sum = h("div", { class: "dkd-slide-sum" });
  const equation = h(
    "div",
    { class: "dkd-slide-equation" },
    column("window", canvases.patch, scales.patch),
    operator("×"),
    column("kernel K̃", canvases.kernel, scales.kernel),
    operator("="),
    column("products", canvases.products, scales.products),
  );
  const row = h(
    "div",
    { class: "dkd-slide-pictures" },
    column("projected channel", source, small("grey rim: outside the map, counts as 0")),
    h("div", { class: "dkd-slide-middle" }, equation, sum),
    column("matched channel", target, small("grey: not computed yet")),
  );
  return { canvases, scales, windowBox, outputBox, target, sum, pictures: row };
}

/** @param {Parameters<typeof buildSlidePage>[0]} acts */
function buildControls({ move, toggle, pin }) {
  const slider = h("input", {
    type: "range",
    min: 0,
    "aria-label": "Output cell",
    title: "The output cell that is computed",
    oninput: () => void move(() => Number(slider.value)),
  });
  const play = iconButton("play", "Play: slide the kernel", toggle);
  const speed = h(
    "select",
    { "aria-label": "Cells per second", title: "Cells per second" },
    ...SPEEDS.map((s) => h("option", { value: s, selected: s === SPEED }, `${s} cells/s`)),
  );
  const pinButton = h(
    "button",
    { class: "dkd-button", title: "Explain the window’s cell", onclick: pin },
    "explain this cell",
  );
  const quiet = small("Motion is reduced: step with the buttons or the arrow keys.");
  const row = h(
    "div",
    { class: "dkd-row" },
    h(
      "span",
      { class: "dkd-buttons" },
      iconButton("first", "First cell", () => move(() => 0)),
      iconButton("back", "One cell back", () => move((step) => step - 1)),
      play,
      iconButton("on", "One cell on", () => move((step) => step + 1)),
      iconButton("last", "Last cell: the whole map", () => move(() => Infinity)),
    ),
    slider,
    speed,
    pinButton,
    quiet,
  );
  return { slider, play, speed, quiet, controls: row };
}
