// Types that the modules share, for tsc and editors; browsers never see this file.

export interface Kernel {
  isDisposed: boolean;
  status?: string;
  statusChanged: {
    connect(slot: (sender: unknown, status: string) => void): void;
    disconnect(slot: (sender: unknown, status: string) => void): void;
  };
}

export interface Manager {
  kernel?: Kernel;
  get_model(id: string): Promise<Model>;
}

/** A widget's model, as anywidget hands it to a module. */
export interface Model {
  // biome-ignore lint/suspicious/noExplicitAny: what a trait holds is known only to the module that reads it
  get(name: string): any;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: object, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: the arguments depend on the event
  on(event: string, callback: (...given: any[]) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: the same
  off(event: string, callback: (...given: any[]) => void): void;
  widget_manager: Manager;
}

export interface Host {
  getWidget(reference: string): Promise<{
    // biome-ignore lint/suspicious/noExplicitAny: what a widget's initialize() has returned
    exports: any;
    render(place: { el: HTMLElement; signal?: AbortSignal }): Promise<void>;
  }>;
}

/** What anywidget gives to initialize(). */
export interface Initial {
  model: Model;
  signal: AbortSignal;
}

/** What anywidget gives to render(). */
export interface Context extends Initial {
  el: HTMLElement;
  host: Host;
}

/** The default export of a module that draws a widget. */
export interface Widget {
  initialize?(context: Initial): unknown;
  render?(context: Context): unknown;
}

export type Numbers =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** [path, dtype, shape] of a message's buffer, see wire.js. */
export type Part = [(string | number)[], string, number[]];

// biome-ignore lint/suspicious/noExplicitAny: a message is what Python has written
export type Message = Record<string, any> & { parts?: Part[] };

export type Side = "left" | "right" | "centre";
export type Colour = readonly number[];

/** A frame in which a lost track was re-initialised. */
export interface Start {
  frame: number;
  reason: string;
  before: number;
  after: number;
}

/** What is known of the whole clip at once: T frames, J joints, C channels. */
export interface Header {
  generation: number;
  n_frames: number;
  /** Number and time of frame 0 as they are shown: not 0 in the studio, where a part of a video is traced. */
  first: number;
  first_s: number; // seconds
  /** The frame with the person's box: frames before it were traced backwards in time. */
  origin: number;
  fps: number; // the mean where the rate varies
  rate: string; // in words
  pixel_aspect: number; // width / height of a pixel
  warnings: { kind: string; text: string; frames: number[] }[]; // faults of the video
  clip: string;
  model: string;
  backend: string;
  engine: string;
  is_track: boolean; // of another tool: joints and scores without maps and kernels
  refined?: boolean; // whether the initializer has moved the joints, which are then not exactly the maps' peaks
  at_joints?: boolean; // whether kernels made at the joints refine the matched maps, which then are not the sums
  size: [number, number];
  image: [number, number];
  joints: string[];
  sides: Side[];
  limbs: [number, number][];
  channels: number;
  kernel: number;
  map: [number, number];
  map_range: [number, number];
  truth_kind: string;
  calibrated: boolean;
  reinitialised: Start[];
  /** Frames in which the joints look like somebody else, or most of them jumped. */
  strange: number[];
  unmatched: number[];
  worst: number[][];
  times: Float64Array<ArrayBuffer>;
  tracks: Float32Array<ArrayBuffer>;
  scores: Float32Array<ArrayBuffer>;
  speed: Float32Array<ArrayBuffer>;
  drift: Float32Array<ArrayBuffer>;
  truth: Float32Array<ArrayBuffer>;
  readout: Float32Array<ArrayBuffer>;
  bias: Float32Array<ArrayBuffer>;
  confidence: Float32Array<ArrayBuffer>;
  /** (T, J), only if there are corrections: 1 where the joint is not the model's. */
  corrected?: Uint8Array<ArrayBuffer>;
  /** (T, J), as `corrected`: 1 where a person marked the joint as hidden. */
  hidden?: Uint8Array<ArrayBuffer>;
  /** (T, J, 2), as `corrected`: what the model predicts, before corrections. */
  predicted?: Float32Array<ArrayBuffer>;
  record_follows?: boolean;
  keep?: number;
  keep_from?: number;
  /** (T, J): the confidence, or the scores where the model has no calibration. */
  sureness: Float32Array<ArrayBuffer>;
  meanSureness: Float32Array<ArrayBuffer>;
  /** Frames in which a lost track was re-initialised. */
  starts: number[];
  /** Frames whose maps are the initializer's, or held: nothing was matched in them. */
  initial: Set<number>;
  /** Frames whose exact numbers were left out of a page from a file. */
  unexplained?: Set<number>;
}

/** All that is painted for one frame. */
export interface FrameRecord {
  frame: number;
  /** The frame whose kernels are matched here; null where the maps are the initializer's. */
  previous: number | null;
  crop: [number, number, number];
  kernel_scale: number;
  jpeg: Uint8Array<ArrayBuffer>;
  /** MIME type of the picture, where it is not a JPEG. */
  picture_type?: string;
  /** The picture, where it is a part of a film. */
  picture?(): Promise<ImageBitmap>;
  joints: Float32Array<ArrayBuffer>;
  scores: Float32Array<ArrayBuffer>;
  peaks: Uint8Array<ArrayBuffer>;
  maps: Uint8Array<ArrayBuffer>;
  kernels: Int8Array<ArrayBuffer>;
  bytes: number;
}

/** The exact input of the matching step in one frame. */
export interface Detail {
  frame: number;
  /** The frame from which the kernels were distilled. */
  previous: number;
  projected: Float32Array<ArrayBuffer>;
  kernels: Float32Array<ArrayBuffer>;
}

export interface Term {
  channel: number;
  patch: Float32Array<ArrayBuffer>;
  kernel: Float32Array<ArrayBuffer>;
  contribution: number;
}

/** How the value of a map in a cell comes about: value = bias + Σ contributions. */
export interface Explanation {
  value: number;
  bias: number;
  parts: Term[];
}

export interface Layers {
  skeleton: boolean;
  trails: boolean;
  heatmap: boolean;
  box: boolean;
  truth: boolean;
  opacity: number;
}

export type LayerName = Exclude<keyof Layers, "opacity">;

/** What the views of one cursor share; the names are those of the traits in cursor.py. */
export interface CursorTraits {
  frame: number;
  joint: string;
  layers: Layers;
  cell: [number, number] | null;
  playing: boolean;
  speed: number;
  range: [number, number] | null;
  n_frames: number;
  joint_names: string[];
}

/** A cell of the map, and why it is the one that is explained. */
export interface Cell {
  x: number;
  y: number;
  why: "pointer" | "pinned" | "peak";
}

/** What a view's builder returns, see mount.js. */
export interface View {
  header?(header: Header): void;
  paint(record: FrameRecord, bitmap: ImageBitmap): void;
  status?(text: string): void;
  needsDetail?: boolean;
}

/** Colours of the style sheet, for canvases. */
export interface Palette {
  theme: string;
  font: string;
  small: string; // size of the text in a drawing
  ink: string;
  muted: string;
  line: string;
  back: string;
  accent: string;
  left: string;
  right: string;
  centre: string;
}

export interface Shortcut {
  keys: string[];
  labels: string[];
  action: string;
  help: string;
  group: string;
}

/** An action of a shortcut: its argument, and how often the held key has repeated. */
export type Action = (argument: string | number, repeats?: number, key?: string) => void;
export type Actions = Record<string, Action>;
