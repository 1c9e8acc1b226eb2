// What page.py writes of where what is.

import type { CursorTraits } from "../core/types.d.ts";

export interface Person {
  name: string;
  header: number; // numbers of blocks
  records: number[]; // one per chunk of frames
  details: Record<string, number>; // by frame
  facts: [string, string][];
  // Of runs of different clips:
  pictures?: Pictures;
  shown?: CursorTraits;
  look?: string;
  arithmetic?: number;
}

export interface Pictures {
  type: string;
  chunks: number[]; // numbers of blocks
}

export interface RecordedView {
  module: string;
  traits: Record<string, unknown>;
  keys: Record<string, string[]>;
  lists: Record<string, [string, string[]]>;
  note: string;
  exact: boolean; // whether frames of it have their arithmetic in float32
  answers: Record<string, number>; // numbers of blocks, by request
}

export interface Gallery {
  module: string;
  items: number; // of a block
  traits: Record<string, unknown>;
}

export interface Contents {
  format: string;
  shown: CursorTraits;
  people: Person[];
  arrange: "choice" | "steps" | "beside" | "moments";
  pictures: Pictures;
  chunk: number; // frames
  bookmarks: { frame: number; note: string }[];
  caption: string;
  licence: string;
  code: string; // the licence of the views
  look: string;
  arithmetic: number; // frames
  views?: RecordedView[];
  gallery?: Gallery;
}
