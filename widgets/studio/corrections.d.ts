// What an editor knows of people and corrections; for tsc and editors, browsers never see this file.

import type { Point } from "../core/drawing.js";

/** x0, y0, x1, y1 in pixels of the frame. */
export type Box = [number, number, number, number];

export interface Person {
  name: string;
  colour: string;
}

/** x, y of each joint in each frame. */
export interface Track {
  name: string;
  joints: Float32Array;
}

/** A joint that is held, or was let go and is not applied yet. */
export interface Held {
  frame: number;
  joint: number;
  at: Point;
}

/** One call that corrects the track, see Edit.describe in Python. */
export interface Correction {
  index: number;
  first: number | null; // frame
  last: number | null;
  joint: string | null; // or part of the body
  action: string;
  text: string;
}

export interface Edits {
  corrections: Correction[];
  undo: boolean;
  redo: boolean;
  traced: number; // frames
  of: number;
  busy: string[]; // people whose frames are still being traced
}

export interface Bookmark {
  frame: number;
  note: string;
}
