// Drags with the pointer: over the picture, and on the filmstrip.

/** @import { Box } from "./types.d.ts" */
/** @import { Grip, Point } from "./box.js" */

const DRAG_PX = 4; // a shorter way is a click

/** @typedef {{ key: number, box: Box | null, grip: Grip }} Held what a drag began on */

/**
 * @param {HTMLElement} element
 * @param {AbortSignal} signal
 * @param {{ size: () => Point, begin: (target: Element) => Held | null,
 *   move: (held: Held, from: Point, to: Point) => void, end: (held: Held, from: Point, to: Point) => void }} drag
 */
export function listenForBoxes(element, signal, drag) {
  /** @type {{ held: Held, from: Point, at: Point, isMoved: boolean } | null} */
  let now = null;
  /** @returns {Point} */
  const toFrame = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const [w, h] = drag.size();
    return [((clientX - left) / width) * w, ((clientY - top) / height) * h];
  };
  const options = { signal };
  element.addEventListener("pointerdown", (event) => {
    const held = event.button ? null : drag.begin(/** @type {Element} */ (event.target));
    if (held) now = { held, from: toFrame(event), at: [event.clientX, event.clientY], isMoved: false };
  }, options); // biome-ignore format: short
  element.addEventListener(
    "pointermove",
    (event) => {
      if (!now) return;
      if (!now.isMoved && Math.hypot(event.clientX - now.at[0], event.clientY - now.at[1]) > DRAG_PX) {
        now.isMoved = true;
        element.setPointerCapture(event.pointerId); // from here on: a click on a proposal must reach it
      }
      if (now.isMoved) drag.move(now.held, now.from, toFrame(event));
    },
    options,
  );
  const end = (/** @type {PointerEvent} */ event) => {
    const last = now;
    now = null;
    if (last?.isMoved) drag.end(last.held, last.from, toFrame(event));
  };
  element.addEventListener("pointerup", end, options);
  element.addEventListener("pointercancel", end, options);
}

/**
 * @param {HTMLElement} strip
 * @param {{ hold: (isNow: boolean) => void, move: (name: "start" | "stop" | "here", share: number) => void }} drag
 */
export function listenForSliders(strip, drag) {
  /** @type {"start" | "stop" | "here" | null} */
  let name = null;
  const follow = (/** @type {PointerEvent} */ event) => {
    const { left, width } = strip.getBoundingClientRect();
    if (name) drag.move(name, Math.max(0, Math.min(1, (event.clientX - left) / width)));
  };
  strip.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const target = /** @type {HTMLElement} */ (event.target);
    name = target.matches(".dkd-strip-start") ? "start" : target.matches(".dkd-strip-stop") ? "stop" : "here";
    strip.setPointerCapture(event.pointerId);
    event.preventDefault(); // no selection of the page; so the focus is set here
    /** @type {HTMLElement} */ (strip.querySelector(`.dkd-strip-${name}`)).focus();
    if (name !== "here") drag.hold(true);
    else follow(event);
  });
  strip.addEventListener("pointermove", follow);
  const end = () => {
    if (name && name !== "here") drag.hold(false);
    name = null;
  };
  strip.addEventListener("pointerup", end);
  strip.addEventListener("pointercancel", end);
}
