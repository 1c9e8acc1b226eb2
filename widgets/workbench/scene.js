// A frame with what the model found drawn over it, on any canvas: for the player, and for the laboratory's two runs.

import { palette } from "../core/colours.js";
import { context2d } from "../core/dom.js";
import { mapColours, paintMap } from "../core/drawing.js";
import { clamp } from "../core/text.js";
import { drawBox, drawSkeleton, drawTrails, drawTruth } from "./figure.js";
import { drawPredicted, jointStyle } from "./joint_style.js";
import { nearestJoint, placed, WHOLE } from "./place.js";

/** @import { FrameRecord } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Figure } from "./figure.js" */
/** @import { Zoom } from "./place.js" */

/** @typedef {readonly [number, number]} Size width and height in CSS pixels */
/**
 * What an editor adds: how far the frame is zoomed in, whether predictions are hollow although none is corrected, and
 * the joint that is held, which is drawn as a correction; −1 for none.
 * @typedef {{ zoom: Zoom, isEditing: boolean, held: number }} Look
 */

const REACH = 24; // a click so near to a joint, in CSS pixels, selects it
const OPAQUE = 0.5; // the map value from which the heatmap has its full opacity

/**
 * Layers and the selected joint are the cursor's; header() forgets what was made for another trace.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {Look} look
 */
export function buildScene(root, store, cursor, look = { zoom: WHOLE, isEditing: false, held: -1 }) {
  const cells = document.createElement("canvas"); // the heatmap, one pixel per cell
  let heat = { opacity: -1, colours: new Uint32Array() };

  // Where the frame lies on a canvas of this size.
  const geometry = (/** @type {Size} */ canvas) => {
    const { size, pixel_aspect } = store.header;
    return placed(canvas, size, look.zoom, pixel_aspect);
  };

  /** @param {Figure} figure @param {FrameRecord} record @param {number} joint @param {number} opacity */
  function drawHeat({ context, header, scale, stretch }, record, joint, opacity) {
    // Opaque where the map is high, so that the picture is seen where there is nothing to say.
    if (heat.opacity !== opacity) {
      heat = { opacity, colours: mapColours(header, (value) => 255 * opacity * clamp(value / OPAQUE, 0, 1)) };
    }
    paintMap(cells, header, record, joint, heat.colours);
    const [x, y, side] = record.crop.map((v) => v * scale);
    context.drawImage(cells, x * stretch, y, side * stretch, side);
  }

  return {
    geometry,
    header() {
      heat.opacity = -1;
    },

    /**
     * @param {HTMLCanvasElement} canvas
     * @param {Size} size
     * @param {FrameRecord} record
     * @param {ImageBitmap} bitmap
     */
    draw(canvas, [width, height], record, bitmap) {
      const { header } = store;
      const layers = cursor.get("layers");
      const context = context2d(canvas);
      const { scale, stretch, left, top } = geometry([width, height]);
      const area = /** @type {const} */ ([left, top, header.size[0] * scale * stretch, header.size[1] * scale]);
      const figure = { context, header, scale, stretch, colours: palette(root) };
      context.clearRect(0, 0, width, height);
      context.imageSmoothingEnabled = true;
      context.drawImage(bitmap, ...area);
      context.save();
      context.beginPath();
      context.rect(...area);
      context.clip();
      context.translate(left, top);
      const selected = store.joint();
      if (layers.heatmap) drawHeat(figure, record, selected, layers.opacity);
      if (layers.box) drawBox(figure, record);
      if (layers.trails) drawTrails(figure, record.frame);
      if (layers.truth && header.truth.length) drawTruth(figure, record.frame);
      if (layers.skeleton) {
        drawPredicted(figure, record);
        drawSkeleton(figure, record, selected, jointStyle(header, record.frame, look.isEditing, look.held));
      }
      context.restore();
    },

    /**
     * Select the joint that is nearest to a click.
     * @param {HTMLCanvasElement} canvas
     * @param {MouseEvent} event
     */
    select(canvas, event) {
      const { shown, header } = store;
      if (!shown) return;
      const place = geometry([canvas.clientWidth, canvas.clientHeight]);
      const { joint, distance } = nearestJoint(shown.joints, place, [event.offsetX, event.offsetY]);
      if (distance <= REACH) cursor.set("joint", header.joints[joint]);
    },
  };
}
