// What live_page.py writes about the model, and what the page and its worker tell each other.

import type { CursorTraits, Side } from "../core/types.d.ts";
import type { KernelEdit } from "../laboratory/kernel_edits.js";
import type { Box, Square } from "./squares.js";

/** What is known of the model. */
export interface Facts {
  name: string;
  input_size: number;
  map: number; // cells along a side
  channels: number;
  kernel: number; // side
  joints: string[];
  sides: Side[];
  limbs: [number, number][];
  readout: number[]; // (J, C)
  bias: number[];
  calibration: { scores: number[]; probabilities: number[] } | null;
}

export interface LiveContents {
  facts: Facts;
  runtime: { script: number; wasm: number; version: string };
  graphs: Record<string, number>; // numbers of blocks
  sample: { name: string; box: Box | null; times: number[]; pictures: number[]; size: [number, number] };
  about: [string, string][];
  code: string;
  shown: CursorTraits;
}

export interface Cover {
  kind: "cover" | "blur";
  box: Box;
  from: number; // first and last frame
  to: number;
}

/** All that the user has changed; `edits` are by the frame from which the kernels are distilled. */
export interface Changes {
  boxes: Map<number, Box>;
  edits: Map<number, KernelEdit[]>;
  covers: Cover[];
}

/** What the network found in a frame. */
export interface Step {
  frame: number;
  square: Square;
  joints: Float64Array<ArrayBuffer>;
  scores: Float32Array<ArrayBuffer>;
  cells: number[];
  maps: Float32Array<ArrayBuffer>;
  kernels: Float32Array<ArrayBuffer>; // distilled from this frame, with the user's edits
  drift: number; // 1 − cos of these kernels and those of the frame before
  isStart: boolean; // the pose initializer found the joints
  ms: number;
}

export type ToWorker =
  | { type: "begin"; facts: Facts; wasm: Uint8Array<ArrayBuffer>; graphs: [string, Uint8Array<ArrayBuffer>][] }
  | { type: "clear"; generation: number; size: [number, number] }
  | { type: "frames"; blobs: Blob[] }
  | { type: "picture"; bitmap: ImageBitmap; time: number }
  | { type: "change"; generation: number; from: number; changes: Changes }
  | { type: "explain"; frame: number; asked: number };

export type FromWorker =
  | { type: "opened"; done: number; of: number }
  | { type: "kept"; blob: Blob; time: number }
  | { type: "step"; generation: number; step: Step }
  | { type: "explained"; asked: number; projected: Float32Array<ArrayBuffer> }
  | { type: "failed"; message: string };
