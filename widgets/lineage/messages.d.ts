// What Python sends to the lineage view, as wire.js reads it; see lineage.py. Browsers never see this file.

/** The similarity of pairs of frames, with the path of the kernels and their drift; see `render_matrix`. */
export interface Matrix {
  /** Whose effective kernels; "" for the whole ones. */
  joint: string;
  /** Whether the clip's mean kernel was subtracted. */
  centred: boolean;
  /** Name of the clip of the rows, if it is another one. */
  other: string | null;
  /** Values that the colours span. */
  range: [number, number];
  /** Frames with the largest drift. */
  jumps: number[];
  /** Of the variance, of the two axes of the path. */
  shares: number[];
  /** (n, m) cosines. */
  values: Float32Array<ArrayBuffer>;
  /** (n,) frames of the rows. */
  rows: Int32Array<ArrayBuffer>;
  /** (m,) frames of the columns. */
  columns: Int32Array<ArrayBuffer>;
  /** (T,) from the frame before. */
  drift: Float32Array<ArrayBuffer>;
  /** (k, 2) points of the path. */
  scores: Float32Array<ArrayBuffer>;
  /** (k,) frames of the path. */
  frames: Int32Array<ArrayBuffer>;
}

/** The channels that a joint relies on most; see `render_reliance`. */
export interface Reliance {
  joint: string;
  /** Whether all frames of the sample were computed. */
  complete: boolean;
  /** Strongest first. */
  channels: number[];
  /** (n,) frames of the sample. */
  frames: Int32Array<ArrayBuffer>;
  /** (rows, n): one row per channel, and one for all others together. */
  shares: Float32Array<ArrayBuffer>;
}

/** Frames computed so far, of how many. */
export interface Progress {
  joint: string;
  done: number;
  of: number;
}

/** Pictures of two frames, as JPEG; see `render_pictures`. */
export interface Pictures {
  s: number;
  t: number;
  images: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
}
