// Types that the studio's modules share, for tsc and editors; browsers never see this file.

/** What is known of the open clip; see render_clip in studio.py. */
export interface Clip {
  generation: number;
  name: string;
  path: string;
  n: number;
  size: [number, number];
  aspect: number; // width / height of a pixel
  facts: string;
  rate: string;
  fps: number;
  warnings: string[];
  times: Float64Array<ArrayBuffer>;
}

/** x0, y0, x1, y1 in pixels of the frame. */
export type Box = [number, number, number, number];

export interface Person {
  key: number;
  name: string;
  colour: string;
  box: Box | null;
  frame: number;
  state: "new" | "waiting" | "tracking" | "done" | "stopped" | "failed";
  done: number;
  of: number;
  text: string;
  verdict: string;
}

export interface Proposal {
  box: Box;
  confidence: number;
}

/** What Python publishes at each change; see _publish in studio.py. */
export interface State {
  opening: string;
  range: [number, number];
  range_note: string;
  people: Person[];
  proposals: Proposal[];
  proposed_in: number | null;
  finding: boolean;
  tracking: boolean;
  reinitialise: boolean;
  refine: boolean;
  same: string[]; // where two tracks are on one person
  warnings: string[]; // of the session that was opened
  moved: string; // why the video of a session cannot be opened: it asks for its place
  earlier: string; // a session that was saved for this video before
  saved: { path?: string; at?: number; problem?: string };
  joints: { path?: string; problem?: string };
  formats: string[];
  exporting: import("../exports/menu.js").Exporting;
  problems: Record<string, string>;
}
