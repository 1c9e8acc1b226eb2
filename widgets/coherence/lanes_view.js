// The lanes on the page: a canvas over the clip with names, values and a tooltip.

import { context2d, h } from "../core/dom.js";
import { fitted, stroke } from "../core/drawing.js";
import { drawRange, frameAxis, LANE_PX, placeTooltip } from "../core/lanes.js";
import { readable } from "../core/text.js";
import { curveOf, lineOf, SCOPES, scaled, told } from "./curves.js";
import { AXIS_PX, drawLanes, LANE_GAP_PX, STRIP_PX } from "./draw_lanes.js";
import { momentsAt } from "./moments.js";
import { lanesPointer } from "./pointer.js";

/** @import { FrameRecord, Palette } from "../core/types.d.ts" */
/** @import { DrawnLane } from "./curves.js" */
/** @import { DebuggerState } from "./state.js" */

/** @param {DebuggerState} state */
export function lanesView(state) {
  const { store, cursor, signal } = state;
  const canvas = h("canvas", { class: "dkd-lanes dkd-debugger-canvas", tabindex: "0", role: "slider" });
  canvas.setAttribute("aria-label", "Lanes over the clip; Shift and arrow keys select a range");
  const tooltip = h("div", { class: "dkd-tooltip", hidden: true });
  const names = h("div", { class: "dkd-debugger-names" });
  const values = h("div", { class: "dkd-debugger-values" });
  const axis = frameAxis(store, canvas);
  const pointer = lanesPointer(state, canvas, axis.frameAt);
  /** @type {HTMLElement[]} */
  let places = []; // of the values
  /** @type {DrawnLane[]} */
  let lanes = [];
  let drawn = ""; // what the picture is of
  /** @type {HTMLCanvasElement | null} */
  let picture = null; // all that does not move with the cursor
  const fitCanvas = fitted(canvas, signal, () => {
    drawn = "";
    store.schedule();
  });

  /**
   * Draw the picture again if it is of something else.
   * @param {[width: number, height: number]} size
   * @param {Palette} colours
   */
  function refresh(size, colours) {
    const shown = state.shownLanes;
    const { scope } = state.choice;
    const keys = shown.map((lane) => lane.key);
    const key = [...size, store.joint(), scope, keys, state.listKey, colours.ink, colours.back].join();
    if (key === drawn) return;
    drawn = key;
    const count = state.header.joints.length;
    lanes = shown.map((lane) =>
      scaled(
        lane,
        lane.values.map((_, which) => curveOf(lane, which, scope, store.joint(), count)),
      ),
    );
    places = lanes.map(() => h("div"));
    names.replaceChildren(...lanes.map((l) => h("div", { title: l.help }, l.label, h("small", {}, l.unit))));
    values.replaceChildren(...places);
    const ink = scope === "joint" ? colours[state.header.sides[store.joint()]] : colours.ink;
    picture = drawLanes(lanes, state.rows, state.header, { size, toX: axis.toX, ink, colours });
  }

  /**
   * What the canvas says to a screen reader.
   * @param {number} frame
   */
  function announce(frame) {
    const range = cursor.get("range");
    const { scope } = state.choice;
    const who = scope === "joint" ? readable(cursor.get("joint")) : SCOPES[scope];
    const now = lanes.map((lane) => lineOf(lane, frame)).join("; ");
    canvas.setAttribute("aria-valuemin", "0");
    canvas.setAttribute("aria-valuemax", String(state.header.n_frames - 1));
    canvas.setAttribute("aria-valuenow", String(frame));
    const selected = range ? `, range ${range[0]} to ${range[1]}` : "";
    canvas.setAttribute("aria-valuetext", `frame ${frame}${selected}; ${who}: ${now}`);
  }

  /** @param {number} width */
  function showTooltip(width) {
    const frame = pointer.hover;
    tooltip.hidden = frame === null || pointer.isDragging;
    if (tooltip.hidden || frame === null) return;
    const { named, more } = momentsAt(state.rows, frame);
    tooltip.replaceChildren(
      h("b", {}, `frame ${frame} · ${state.header.times[frame].toFixed(3)} s`),
      ...lanes.map((lane) => h("div", {}, lineOf(lane, frame))),
      ...named.map((m) => h("div", {}, h("b", {}, m.reason), m.joint ? ` · ${readable(m.joint)}` : "")),
      ...(more ? [h("div", {}, `and ${more} more`)] : []),
    );
    placeTooltip(tooltip, axis.toX(frame, width), width);
  }

  return {
    element: h("div", { class: "dkd-lanes-grid" }, names, h("div", { class: "dkd-plot" }, canvas, tooltip), values),
    /**
     * @param {FrameRecord} record
     * @param {Palette} colours
     */
    paint({ frame }, colours) {
      const [width, height] = fitCanvas();
      const wanted = STRIP_PX + state.shownLanes.length * (LANE_PX + LANE_GAP_PX) + AXIS_PX;
      if (canvas.style.height !== `${wanted}px`) canvas.style.height = `${wanted}px`; // its observer paints again
      if (!width) return;
      refresh([width, height], colours);
      const context = context2d(canvas);
      const bottom = height - AXIS_PX;
      context.clearRect(0, 0, width, height);
      drawRange(context, cursor.get("range"), axis.toX, width, bottom, colours);
      if (picture) context.drawImage(picture, 0, 0, width, height);
      const upright = (/** @type {number} */ at) => {
        const x = axis.toX(at, width);
        stroke(context, [x, 0], [x, bottom]);
      };
      Object.assign(context, { strokeStyle: colours.muted, lineWidth: 1 });
      if (pointer.hover !== null) upright(pointer.hover);
      Object.assign(context, { strokeStyle: colours.accent, lineWidth: 2 });
      upright(frame);
      lanes.forEach((lane, i) => {
        places[i].replaceChildren(...told(lane, frame).map((words) => h("div", {}, words)));
      });
      announce(frame);
      showTooltip(width);
    },
  };
}
