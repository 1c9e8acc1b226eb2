// Frames and their places on the filmstrip, as numbers.

import { clamp } from "../core/text.js";

/** @typedef {readonly [number, number]} Window first frame, and the one after the last */

/**
 * Where a frame's left edge lies in a window of frames: 0..1.
 * @param {number} frame
 * @param {Window} window
 */
export const shareOf = (frame, [first, stop]) => clamp((frame - first) / (stop - first), 0, 1);

/**
 * The frame at a place of a window: 0..1 → first..stop − 1.
 * @param {number} share
 * @param {Window} window
 */
export const frameAt = (share, [first, stop]) => clamp(Math.floor(first + share * (stop - first)), first, stop - 1);

/**
 * The border between frames that is nearest to a place: 0..1 → first..stop.
 * @param {number} share
 * @param {Window} window
 */
export const borderAt = (share, [first, stop]) => clamp(Math.round(first + share * (stop - first)), first, stop);

/**
 * A range after its first or last border was put somewhere; at least one frame stays.
 * @param {Window} range
 * @param {"start" | "stop"} end
 * @param {number} border
 * @param {number} n frames of the clip
 * @returns {[number, number]}
 */
export const moved = ([start, stop], end, border, n) =>
  end === "start" ? [clamp(border, 0, stop - 1), stop] : [start, clamp(border, start + 1, n)];

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };

/**
 * By how many frames a key moves a slider of the filmstrip; ±Infinity to an end, null if it is not for it. Shift and
 * arrows move by ten frames, Page keys by a second.
 * @param {{ key: string, shiftKey: boolean }} event
 * @param {number} fps
 */
export function keyStep({ key, shiftKey }, fps) {
  if (key in STEPS) return STEPS[key] * (shiftKey ? 10 : 1);
  const second = Math.max(1, Math.round(fps));
  if (key === "PageUp") return second;
  if (key === "PageDown") return -second;
  if (key === "Home") return -Infinity;
  if (key === "End") return Infinity;
  return null;
}

/**
 * The frames around a range that are shown when one zooms in: a tenth more to each side.
 * @param {Window} range
 * @param {number} n
 * @returns {[number, number]}
 */
export function zoomed([start, stop], n) {
  const margin = Math.max(1, Math.round((stop - start) / 10));
  return [Math.max(0, start - margin), Math.min(n, stop + margin)];
}

/**
 * Seconds as a clock: 9.53 → 0:09.53, 3725 → 1:02:05.00
 * @param {number} seconds
 */
export function clock(seconds) {
  const hundredths = Math.round(seconds * 100);
  const minutes = Math.floor(hundredths / 6000);
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, "0");
  const pad = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${rest}`;
}

/**
 * A range in words: frames 0 to 299 (300), 0:00.00 to 0:09.97.
 * @param {Window} range
 * @param {Float64Array} times
 */
export function rangeText([start, stop], times) {
  const count = stop - start;
  return (
    `frames ${start} to ${stop - 1} · ${clock(times[start])} to ${clock(times[stop - 1])} · ` +
    `${count.toLocaleString("en")} frame${count > 1 ? "s" : ""}`
  );
}
