// What page.py writes of where what is.

import type { CursorTraits } from "../core/types.d.ts";

export interface Person {
  name: string;
  header: number; // numbers of blocks
  records: number[]; // one per chunk of frames
  details: Record<string, number>; // by frame
  facts: [string, string][];
}

export interface RecordedView {
  module: string;
  traits: Record<string, unknown>;
  keys: Record<string, string[]>;
  answers: Record<string, number>; // numbers of blocks, by request
}

export interface Contents {
  format: string;
  shown: CursorTraits & { person?: number };
  people: Person[];
  pictures: { type: string; chunks: number[] };
  chunk: number; // frames
  bookmarks: { frame: number; note: string }[];
  caption: string;
  licence: string;
  code: string; // the licence of the views
  look: string;
  arithmetic: number; // frames
  views?: RecordedView[];
}
