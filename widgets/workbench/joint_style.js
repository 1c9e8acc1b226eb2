// How joints are drawn: those of another tool's track hollow; in a trace with corrections, what a person has placed is
// filled, what the model predicts hollow.

import { toScreen } from "./figure.js";
import { strokeLine, strokeRings } from "./strokes.js";

/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Figure } from "./figure.js" */
/** @import { JointStyle } from "./strokes.js" */

/**
 * The style of each joint in a frame. Without corrections all joints are filled, except in an editor.
 * @param {Pick<Header, "joints" | "corrected" | "hidden" | "is_track">} header
 * @param {number} frame
 * @param {boolean} isEditing
 * @param {number} held a joint that is being corrected
 * @returns {(joint: number) => JointStyle}
 */
export function jointStyle({ joints, corrected, hidden, is_track: isTrack }, frame, isEditing, held = -1) {
  const at = frame * joints.length;
  if (!corrected && !isEditing) return () => (isTrack ? "hollow" : "filled");
  return (j) => (j === held ? "filled" : hidden?.[at + j] ? "hidden" : corrected?.[at + j] ? "filled" : "hollow");
}

/**
 * Where the model itself finds the joints that are corrected in a frame: hollow, with a thin line to the correction.
 * @param {Figure} figure
 * @param {FrameRecord} record
 */
export function drawPredicted(figure, { frame, joints }) {
  const { context, header, colours } = figure;
  const { corrected, predicted } = header;
  if (!corrected || !predicted) return;
  const count = header.joints.length;
  header.joints.forEach((_, j) => {
    if (!corrected[frame * count + j]) return;
    const from = toScreen(figure, predicted, frame * count + j);
    if (!Number.isFinite(from[0])) return;
    const to = toScreen(figure, joints, j);
    strokeLine(context, from, to, [
      ["rgba(0,0,0,.6)", 3, []],
      ["#ffffff", 1.5, [3, 3]],
    ]);
    strokeRings(context, from, 4.5, [
      ["#ffffff", 4.5],
      [colours[header.sides[j]], 2.5],
    ]);
  });
}
