// What Python sends to the coherence debugger, as wire.js reads it; see debugger.py. Browsers never see this file.

export type Curve = Float32Array<ArrayBuffer>;

/** What is measured in each frame, of one trace or of two. */
export interface Lane {
  key: string;
  label: string;
  unit: string;
  low_is_bad: boolean;
  help: string;
  limit: number | null;
  /** Whether there is a value per joint. */
  joints: boolean;
  /** Of each trace, (T, J) or (T,); null where it was not measured. */
  values: (Curve | null)[];
}

/** Something that stands out. */
export interface Moment {
  /** Where it is worst. */
  frame: number;
  first: number;
  last: number;
  /** Null where it is about all joints. */
  joint: string | null;
  reason: string;
  severity: number;
  text: string;
  /** 0: in trace A, 1: in trace B. */
  which: number;
  /** Severity in the other trace, below 1 where it does not happen there. */
  other: number | null;
}

/** All that the view shows of one or two traces; see `render_diagnosis`. */
export interface Diagnosis {
  generation: number;
  models: string[];
  lanes: Lane[];
  missing: { lane: string; why: string; which: string }[];
  /** Whether there is another trace, which does not fit. */
  dropped: boolean;
  reasons: string[];
  /** The most severe first. */
  moments: Moment[];
}

export interface FigureRow {
  key: string;
  label: string;
  low_is_bad: boolean;
  /** Of each trace, in the order of the columns; null where it was not measured. */
  values: ((number | null)[] | null)[];
}

/** Figures of a range of frames; see `render_statistics`. */
export interface Figures {
  /** Of the request. */
  key: string;
  first: number;
  last: number;
  /** Null: all joints. */
  joint: string | null;
  /** What each of a row's values is: "mean", … */
  columns: string[];
  rows: FigureRow[];
}
