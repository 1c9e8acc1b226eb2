// What a joint relies on, without the page: rows of channels, columns of frames, and their words.

/** @import { Reliance } from "./messages.d.ts" */
/** @import { Cell } from "./matrix.js" */

import { clamp, readable } from "../core/text.js";
import { largest } from "./matrix.js";

/**
 * The number of rows: the strongest channels, and one for all others together where there are others.
 * @param {Reliance} reliance
 */
export const rowCount = ({ shares, frames }) => shares.length / frames.length;

/**
 * What a row is of.
 * @param {Reliance} reliance
 * @param {number} row
 */
export const rowLabel = ({ channels }, row) => (row < channels.length ? `channel ${channels[row]}` : "all others");

/** @param {number} share */
export const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "nothing");

/**
 * The largest share that a single channel has in any frame.
 * @param {Reliance} reliance
 */
export function largestShare({ shares, channels, frames }) {
  const single = shares.subarray(0, channels.length * frames.length);
  return largest(single, 1e-6);
}

/**
 * The shares as values of the colour scale: of single channels up to the largest of them; of all others, 0 to 1.
 * @param {Reliance} reliance
 */
export function scaledShares(reliance) {
  const top = largestShare(reliance);
  const single = reliance.channels.length * reliance.frames.length;
  return reliance.shares.map((share, i) => (i < single ? share / top : share));
}

/**
 * What the colours mean and which frames are shown.
 * @param {Reliance} reliance
 */
export function scaleNote(reliance) {
  const { frames, channels } = reliance;
  const others = rowCount(reliance) > channels.length ? "; all others: 0 to 100 %" : "";
  const colours = `Share of |contribution| at the peak: dark 0 to light ${percent(largestShare(reliance))}${others}`;
  return `${colours} · ${frames.length} frames, from ${frames[0]} to ${frames[frames.length - 1]}`;
}

/**
 * The cell under a point, given as shares of the width and height of the picture.
 * @param {Reliance} reliance
 * @param {[x: number, y: number]} point
 * @returns {Cell}
 */
export function cellUnder(reliance, [x, y]) {
  const [rows, columns] = [rowCount(reliance), reliance.frames.length];
  return [clamp(Math.floor(y * rows), 0, rows - 1), clamp(Math.floor(x * columns), 0, columns - 1)];
}

/**
 * A cell in words.
 * @param {Reliance} reliance
 * @param {Cell} cell
 */
export function describeShare(reliance, [row, column]) {
  const { frames, shares } = reliance;
  return `${rowLabel(reliance, row)} · frame ${frames[column]} · ${percent(shares[row * frames.length + column])}`;
}

/**
 * What is said where there is nothing to paint.
 * @param {{ failed: boolean, busy: boolean, wanted: boolean }} state
 */
export function emptyNote({ failed, busy, wanted }) {
  if (failed) return "could not be computed";
  if (busy) return "computing …";
  if (wanted) return "nothing was matched in these frames";
  return "Computing this encodes the frames again, in the background, at about 30 ms per frame.";
}

/**
 * What is said in a page from a file that does not have a joint's shares.
 * @param {string[]} joints those that it has
 */
export const absentNote = (joints) =>
  joints.length
    ? `This page has the channels of the ${joints.map(readable).join(", the ")} only.`
    : "This page does not have these figures: computing them needs the model.";
