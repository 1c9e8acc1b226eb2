// Small multiples: one tile per joint; and the colour bar that goes with them.

import { MAP_SHOWN, viridis } from "./colours.js";
import { h } from "./dom.js";
import { paintCells } from "./drawing.js";
import { clamp, short, withShort } from "./text.js";

/** @import { Header } from "./types.d.ts" */
/** @import { CursorState } from "./cursor.js" */

/** @typedef {{ joint: number, canvas: HTMLCanvasElement, mark: HTMLElement, button: HTMLButtonElement }} Tile */

/**
 * Joints in columns, left over right: first those on the midline, two per column. null leaves a place free.
 * @param {Pick<Header, "joints" | "sides">} header
 * @returns {(number | null)[][]}
 */
export function columns(header) {
  const centre = header.joints.map((_, j) => j).filter((j) => header.sides[j] === "centre");
  const pairs = header.joints
    .map((name, j) => [j, header.joints.indexOf(name.replace("left_", "right_"))])
    .filter(([j]) => header.sides[j] === "left");
  /** @type {(number | null)[][]} */
  const out = [];
  for (let i = 0; i < centre.length; i += 2) out.push([centre[i], centre[i + 1] ?? null]);
  return [...out, ...pairs];
}

/**
 * A button per joint, with a canvas in it. The grid is one stop of the Tab key: ↑ and ↓ go to the other joints.
 * @param {Header} header
 * @param {CursorState} cursor
 * @param {string} what
 */
export function jointGrid(header, cursor, what) {
  const places = columns(header);
  const element = h("div", {
    class: "dkd-joints",
    role: "group",
    "aria-label": what,
    style: `--columns:${places.length}`,
  });
  /** @type {Tile[]} */
  const tiles = [];
  for (const joint of places.flat()) {
    if (joint === null) {
      element.append(h("div"));
      continue;
    }
    const name = header.joints[joint];
    const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
    const mark = h("span", { class: "dkd-mark", hidden: true });
    const frame = h("span", { class: "dkd-tile-frame" }, canvas, mark);
    const label = `${withShort(name)}: ${what}`;
    const button = h(
      "button",
      {
        class: `dkd-tile dkd-${header.sides[joint]}`,
        title: label,
        "aria-label": label,
        onclick: () => cursor.set("joint", name),
      },
      frame,
      h("span", {}, short(name)),
    );
    element.append(button);
    tiles.push({ joint, canvas, mark, button });
  }
  element.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const name = cursor.get("joint"); // the marks may not be painted yet
    const at = tiles.findIndex(({ joint }) => header.joints[joint] === name);
    const { joint, button } = tiles[(at + step + tiles.length) % tiles.length];
    cursor.set("joint", header.joints[joint]);
    button.focus({ preventScroll: true });
  });
  return { element, tiles };
}

/**
 * @param {Pick<Tile, "joint" | "button">[]} tiles
 * @param {number} joint
 */
export function markSelected(tiles, joint) {
  for (const tile of tiles) {
    tile.button.setAttribute("aria-pressed", String(tile.joint === joint));
    tile.button.tabIndex = tile.joint === joint ? 0 : -1;
  }
}

/**
 * Put a mark on a cell of a map that fills its parent.
 * @param {HTMLElement} mark
 * @param {number} x may be a fraction; the middle of cell 0 is 0
 * @param {number} y
 * @param {[number, number]} size of the map in cells
 */
export function place(mark, x, y, [width, height]) {
  mark.hidden = false;
  mark.style.left = `${(100 * (x + 0.5)) / width}%`;
  mark.style.top = `${(100 * (y + 0.5)) / height}%`;
}

/** The one scale of all maps, with numbers. */
export function colourBar() {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const [low, high] = MAP_SHOWN;
  const values = Float32Array.from({ length: 256 }, (_, i) => low + ((high - low) * i) / 255);
  paintCells(canvas, values.length, 1, values, viridis);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => h("span", {}, String(low + share * (high - low))));
  return h(
    "div",
    { class: "dkd-bar", title: "Confidence: one scale for all maps; below 0 is drawn as 0" },
    canvas,
    h("div", {}, ...ticks),
  );
}

/**
 * The cell of a map that lies under a point of the page.
 *
 * @param {{ clientX: number, clientY: number }} point
 * @param {{ left: number, top: number, width: number, height: number }} area where the map lies on the page
 * @param {readonly [number, number]} map width and height in cells
 * @returns {[number, number]} x, y
 */
export function cellUnder({ clientX, clientY }, area, [columns, rows]) {
  const x = Math.floor(((clientX - area.left) / area.width) * columns);
  const y = Math.floor(((clientY - area.top) / area.height) * rows);
  return [clamp(x, 0, columns - 1), clamp(y, 0, rows - 1)];
}
