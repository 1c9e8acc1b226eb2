// What live_page.py writes about the model, and what the page and its worker tell each other.

import type { CursorTraits, Side } from "../core/types.d.ts";
import type { KernelEdit } from "../laboratory/kernel_edits.js";
import type { Form } from "../laboratory/step.js";
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
  sure: number; // mean confidence of a track that is not lost
}

/** What runs the network, as ONNX Runtime Web calls it. */
export type Provider = "wasm" | "webgpu";

export interface LiveContents {
  facts: Facts;
  runtime: { version: string } & Record<Provider, { script: number; wasm: number }>;
  graphs: Record<string, number>; // numbers of blocks
  sample: { name: string; box: Box | null; times: number[]; pictures: number[]; size: [number, number] };
  about: [string, string][];
  code: string;
  shown: CursorTraits;
  forms: Form[]; // of the laboratory
}

export interface Cover {
  kind: "cover" | "blur";
  box: Box;
  from: number; // first and last frame
  to: number;
}

/** What one change does to the run; `frames` are the first one and the one after the last. */
export type Operation =
  | { kind: "edit"; frames: [number, number]; edit: KernelEdit } // of the kernels distilled from these frames
  | { kind: "kernels"; frames: [number, number]; values: Float32Array<ArrayBuffer> } // in the place of those
  | { kind: "readouts"; joints: [number, number] }
  | { kind: "square"; frames: [number, number]; dx: number; dy: number; scale: number }
  | {
      kind: "state";
      frames: [number, number];
      change: "erase" | "swap_sides" | "shift";
      joint: number | null;
      dx: number;
      dy: number;
    }
  | { kind: "restart"; frames: [number, number] };

/** All that the user has changed; operations in the order in which they were asked for. */
export interface Changes {
  boxes: Map<number, Box>;
  operations: Operation[];
  covers: Cover[];
}

/** What the network found in a frame. */
export interface Step {
  frame: number;
  time: number; // seconds
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
  | {
      type: "begin";
      facts: Facts;
      provider: Provider;
      wasm: Uint8Array<ArrayBuffer>;
      graphs: [string, Uint8Array<ArrayBuffer>][];
    }
  | { type: "clear"; generation: number; size: [number, number] }
  | { type: "frames"; frames: { blob: Blob; time: number }[] }
  | { type: "picture"; bitmap: ImageBitmap; time: number }
  | { type: "change"; generation: number; from: number; changes: Changes }
  | { type: "explain"; frame: number; asked: number };

export type FromWorker =
  | { type: "opened"; done: number; of: number }
  | { type: "kept"; blob: Blob; time: number }
  | { type: "step"; generation: number; step: Step }
  | { type: "explained"; asked: number; projected: Float32Array<ArrayBuffer> }
  | { type: "unable"; message: string } // to start the network
  | { type: "failed"; message: string };
