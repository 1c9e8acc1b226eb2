// The picture with the skeleton and a heatmap, and the box that is dragged over it.

import { palette } from "../core/colours.js";
import { context2d, h } from "../core/dom.js";
import { fitted, mapColours, paintMap } from "../core/drawing.js";
import { clamp } from "../core/text.js";
import { drawBox, drawSkeleton } from "../workbench/figure.js";
import { placed, toFrame } from "../workbench/place.js";

/** @import { FrameRecord, Header, Side } from "../core/types.d.ts" */
/** @import { Point } from "../core/drawing.js" */

/** @typedef {{ joints: string[], sides: Side[], limbs: [number, number][], map_range: [number, number] }} About */
/**
 * What Python found in a frame; `map` is that of one joint, and its size.
 * @typedef {{ number: number, size: [number, number], joints: Float32Array<ArrayBuffer>,
 *   scores: Float32Array<ArrayBuffer>, map: Uint8Array<ArrayBuffer>, map_size: [number, number], map_joint: number,
 *   crop: [number, number, number] }} Found
 */
/** @typedef {[number, number, number, number]} Box */
/** @typedef {ReturnType<typeof buildScreen>} Screen */

const LEAST_PX = 8; // a smaller box is a click

/**
 * @param {HTMLElement} root
 * @param {About} about
 * @param {AbortSignal} signal
 * @param {(box: Box) => void} chosen
 */
export function buildScreen(root, about, signal, chosen) {
  const canvas = h("canvas", { class: "dkd-live-frame", role: "img", "aria-label": "No picture yet" });
  const cells = h("canvas");
  const colours = mapColours(about, (value) => 200 * clamp(value / 0.5, 0, 1));
  /** @type {{ picture: ImageBitmap, found: Found } | null} */
  let shown = null;
  /** @type {{ from: Point, to: Point } | null} */
  let drag = null;
  const look = { heatmap: true, joint: 0 };
  const fit = fitted(canvas, signal, () => draw());
  const placeOf = () => placed([canvas.clientWidth, canvas.clientHeight], shown?.found.size ?? [4, 3]);

  function draw() {
    const [width, height] = fit();
    const context = context2d(canvas);
    context.clearRect(0, 0, width, height);
    if (!shown) return;
    const { picture, found } = shown;
    const { scale, left, top } = placed([width, height], found.size);
    const header = /** @type {Header} */ (/** @type {unknown} */ ({ ...about, size: found.size, map: found.map_size }));
    const record = /** @type {FrameRecord} */ (/** @type {unknown} */ ({ ...found, maps: found.map }));
    const figure = { context, header, scale, stretch: 1, colours: palette(root) };
    context.drawImage(picture, left, top, found.size[0] * scale, found.size[1] * scale);
    context.save();
    context.beginPath();
    context.rect(left, top, found.size[0] * scale, found.size[1] * scale);
    context.clip();
    context.translate(left, top);
    if (look.heatmap && found.map_joint === look.joint) {
      paintMap(cells, header, record, 0, colours);
      const [x, y, side] = found.crop.map((v) => v * scale);
      context.drawImage(cells, x, y, side, side);
    }
    drawBox(figure, record);
    drawSkeleton(figure, record, look.joint);
    context.restore();
    if (drag) drawDrag(context, drag.from, drag.to);
  }

  const at = (/** @type {PointerEvent} */ { offsetX, offsetY }) => /** @type {Point} */ ([offsetX, offsetY]);
  const options = { signal };
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button || !shown) return;
      canvas.setPointerCapture(event.pointerId);
      drag = { from: at(event), to: at(event) };
    },
    options,
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!drag) return;
      drag.to = at(event);
      draw();
    },
    options,
  );
  const end = (/** @type {boolean} */ isMeant) => {
    const was = drag;
    drag = null;
    if (!was || !shown) return;
    draw();
    const [a, b] = [was.from, was.to].map((point) => toFrame(placeOf(), point));
    const box = /** @type {Box} */ ([
      Math.min(a[0], b[0]),
      Math.min(a[1], b[1]),
      Math.max(a[0], b[0]),
      Math.max(a[1], b[1]),
    ]);
    if (isMeant && Math.min(box[2] - box[0], box[3] - box[1]) >= LEAST_PX) chosen(box);
  };
  canvas.addEventListener("pointerup", () => end(true), options);
  canvas.addEventListener("pointercancel", () => end(false), options);
  signal.addEventListener("abort", () => shown?.picture.close());

  return {
    canvas,
    look,
    draw,
    /** The size of the frames that are shown, or null. */
    size: () => shown?.found.size ?? null,
    /**
     * @param {ImageBitmap} picture closed here, when the next one is shown
     * @param {Found} found
     */
    show(picture, found) {
      const isNew = String(shown?.found.size) !== String(found.size);
      shown?.picture.close();
      shown = { picture, found };
      if (isNew) canvas.style.aspectRatio = `${found.size[0]} / ${found.size[1]}`;
      draw();
      canvas.dataset.frame = String(found.number);
      canvas.setAttribute("aria-label", `Live picture, frame ${found.number}, with the skeleton`);
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} from
 * @param {Point} to
 */
function drawDrag(context, from, to) {
  for (const [strokeStyle, lineWidth, dash] of /** @type {[string, number, number[]][]} */ ([
    ["rgba(0,0,0,.6)", 4, []],
    ["#ffffff", 2, [6, 4]],
  ])) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.setLineDash(dash);
    context.strokeRect(from[0], from[1], to[0] - from[0], to[1] - from[1]);
  }
  context.setLineDash([]);
}
