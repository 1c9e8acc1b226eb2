// Pointer and keys on the lanes: a click goes to a frame, a drag or Shift with arrow keys selects a range.

import { clamp } from "../core/text.js";
import { anchorOf, rangeOf } from "./curves.js";

/** @import { DebuggerState } from "./state.js" */

const DRAG_PX = 4; // a pointer that moves no further is a click
const LATER = { now: false }; // tell Python when the pointer rests

/**
 * Let the pointer and the keys act on the lanes.
 * @param {DebuggerState} state
 * @param {HTMLCanvasElement} canvas
 * @param {(event: MouseEvent) => number} frameAt
 * @returns {{ hover: number | null, isDragging: boolean }} the frame under the pointer, kept up to date
 */
export function lanesPointer(state, canvas, frameAt) {
  const { store, cursor, signal } = state;
  const pointer = { hover: /** @type {number | null} */ (null), isDragging: false };
  /** @type {{ from: number, x: number } | null} */
  let pressed = null;
  const release = () => {
    pressed = null;
    pointer.isDragging = false;
  };

  /** @param {PointerEvent} event */
  function press(event) {
    if (!state.data || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pressed = { from: frameAt(event), x: event.clientX };
    canvas.focus({ preventScroll: true });
    event.stopPropagation(); // the focus is here, not on the view
  }

  /** @param {PointerEvent} event */
  function move(event) {
    if (!state.data) return;
    pointer.hover = frameAt(event);
    if (pressed && Math.abs(event.clientX - pressed.x) > DRAG_PX) pointer.isDragging = true;
    const range = pressed && pointer.isDragging ? rangeOf(pressed.from, pointer.hover) : null;
    if (range) cursor.set("range", range, LATER);
    store.schedule();
  }

  /** @param {PointerEvent} event */
  function lift(event) {
    if (pressed && !pointer.isDragging) cursor.seek(frameAt(event), event.timeStamp);
    release();
  }

  function leave() {
    pointer.hover = null;
    store.schedule();
  }

  /** @param {KeyboardEvent} event */
  function extend(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || !store.header) return;
    event.preventDefault();
    event.stopPropagation();
    const here = cursor.get("frame");
    const next = clamp(here + by, 0, store.header.n_frames - 1);
    cursor.set("range", rangeOf(anchorOf(cursor.get("range"), here), next), LATER);
    cursor.seek(next);
  }

  canvas.addEventListener("pointerdown", press, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", lift, { signal });
  canvas.addEventListener("pointercancel", release, { signal });
  canvas.addEventListener("pointerleave", leave, { signal });
  canvas.addEventListener("keydown", extend, { signal });
  return pointer;
}
