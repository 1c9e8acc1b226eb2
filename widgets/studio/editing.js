// What an editor's parts share: who is there, what was corrected, and what is under the pointer. One per page and trace.

import { WHOLE } from "../workbench/place.js";

/** @import { Point } from "../core/drawing.js" */
/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */
/** @import { Look } from "../workbench/scene.js" */
/** @import { Bookmark, Box, Edits, Held, Person, Track } from "./corrections.d.ts" */

/** @type {Edits} */
const NO_EDITS = { corrections: [], undo: false, redo: false, traced: 0, of: 0, busy: [] };
const NEAR_PX = 0.01; // of the frame: a position that was rounded to float32 is the same

export class Editing {
  /** @type {Person[]} */
  people = [];
  person = "";
  /** @type {Track[]} */
  others = []; // the tracks of all but the selected person
  /** @type {Float32Array | null} */
  uncorrected = null; // the selected person's track without corrections, where there are any
  edits = NO_EDITS;
  /** @type {Bookmark[]} */
  bookmarks = [];
  /** @type {Look} */
  look = { zoom: WHOLE, isEditing: true, held: -1 };
  /** @type {Held | null} */
  held = null;
  isDragged = false; // held is under the pointer; otherwise it waits for the kernel
  isPressed = false; // a pointer is down on the frame
  isBoxing = false; // the pointer draws the person's box
  /** @type {Box | null} */
  box = null; // being drawn or moved
  restarts = false; // whether the model begins again in the box
  showsUncorrected = true;
  /** @type {number | null} */
  noting = null; // the frame whose bookmark's note is to be typed
  version = 0; // of what the kernel has said
  margin = 1; // side of the network's square in sides of the person's box
  /** @type {(content: object) => void} */
  send = () => {};
  /** @type {(text: string) => void} */
  say = () => {};
  dropPointer = () => {}; // ends a drag without what it would have done

  /**
   * @param {Store} store
   * @param {CursorState} cursor
   */
  constructor(store, cursor) {
    this.store = store;
    this.cursor = cursor;
  }

  /**
   * Ask the kernel for a correction.
   * @param {string} name of the method
   * @param {object} given its arguments
   */
  correct(name, given) {
    this.say("");
    this.send({ type: "edit", name, arguments: given });
  }

  /**
   * Hold a joint somewhere: it is drawn there until the kernel has applied it.
   * @param {number} joint
   * @param {Point} at in pixels of the frame
   * @param {boolean} isDragged
   */
  hold(joint, at, isDragged) {
    const frame = this.store.shown?.frame;
    if (frame === undefined) return;
    this.held = { frame, joint, at };
    this.isDragged = isDragged;
    this.store.schedule();
  }

  /** Apply what is held. */
  letGo() {
    if (!this.held) return;
    const { frame, joint, at } = this.held;
    this.isDragged = false;
    this.correct("correct_joint", { frame, joint: this.store.header.joints[joint], x: at[0], y: at[1] });
    this.store.schedule();
  }

  /** Mark the selected joint as hidden in the frame that is shown, or take that back. */
  toggleHidden() {
    const { shown, header } = this.store;
    if (!shown) return;
    this.correct("toggle_joint", { frame: shown.frame, joint: header.joints[this.store.joint()] });
  }

  /**
   * Apply the box that was drawn; the tool is put away.
   * @param {number} frame
   */
  setBox(frame) {
    if (this.box) this.correct("set_box", { frame, box: this.box, restart: this.restarts });
    this.isBoxing = this.restarts = false;
    this.forget();
  }

  /**
   * Where the other people are in a frame.
   * @param {number} frame
   * @returns {{ name: string, colour: string, joints: Float32Array }[]}
   */
  othersIn(frame) {
    const count = 2 * this.store.header.joints.length;
    return this.others.map(({ name, joints }) => ({
      name,
      colour: this.people.find((one) => one.name === name)?.colour ?? "",
      joints: joints.subarray(frame * count, (frame + 1) * count),
    }));
  }

  forget() {
    this.dropPointer();
    this.held = this.box = null;
    this.isDragged = false;
    this.store.schedule();
  }

  /**
   * Another header: what it has applied is not held any more.
   * @param {Pick<Header, "joints" | "tracks" | "corrected">} header
   */
  applied({ joints, tracks, corrected }) {
    if (!this.held || this.isDragged) return;
    const { frame, joint, at } = this.held;
    const k = frame * joints.length + joint;
    const isThere = [0, 1].every((axis) => Math.abs(tracks[2 * k + axis] - at[axis]) < NEAR_PX);
    if (corrected?.[k] && isThere) this.held = null;
  }

  /**
   * The record with the held joint where it is held.
   * @param {FrameRecord} record
   * @returns {FrameRecord}
   */
  drawn(record) {
    const { held } = this;
    this.look.held = held?.frame === record.frame ? held.joint : -1;
    if (!held || held.frame !== record.frame) return record;
    const [joints, scores] = [record.joints.slice(), record.scores.slice()];
    joints.set(held.at, 2 * held.joint);
    scores[held.joint] = 1;
    return { ...record, joints, scores };
  }

  /**
   * The person's box as the network's square has it, or as it is being drawn.
   * @param {Pick<FrameRecord, "crop">} record
   * @returns {Box}
   */
  boxOf({ crop: [left, top, side] }) {
    if (this.box) return this.box;
    const rim = (side - side / this.margin) / 2;
    const [width, height] = this.store.header.size;
    return [
      Math.max(0, left + rim),
      Math.max(0, top + rim),
      Math.min(width, left + side - rim),
      Math.min(height, top + side - rim),
    ];
  }

  /** The frames between which keys jump: both ends of each correction. */
  editedFrames() {
    const ends = this.edits.corrections.flatMap(({ first, last }) => [first, last]);
    return [...new Set(ends.filter((frame) => frame !== null))].sort((a, b) => a - b);
  }

  /** The frames of the timeline's range, or the one that is shown: first and last. */
  range() {
    const frame = this.cursor.get("frame");
    return this.cursor.get("range") ?? [frame, frame];
  }
}

/** @type {WeakMap<Store, Editing>} */
const known = new WeakMap();

/**
 * The one of a page's store: the editor and its stage are two widgets.
 * @param {Store} store
 * @param {CursorState} cursor
 */
export function editingOf(store, cursor) {
  const found = known.get(store) ?? new Editing(store, cursor);
  known.set(store, found);
  return found;
}
