// The run that the page shows: its frames, what the network found in them, and what the user has changed.

/** @import { KernelEdit } from "../laboratory/kernel_edits.js" */
/** @import { Box } from "./squares.js" */
/** @import { Changes, Cover, Facts, FromWorker, Operation, Step, ToWorker } from "./types.d.ts" */

/** @typedef {{ blob: Blob, time: number }} Frame time in seconds */
/**
 * One change, as the user made it; `frame` is the first one that is tracked again.
 * @typedef {{ kind: "box", frame: number, box: Box } | { kind: "edit", frame: number, edits: KernelEdit[] }
 *   | { kind: "call", frame: number, text: string, operations: Operation[] }
 *   | { kind: "cover", frame: number, cover: Cover }} Change
 */

/** @param {Change[]} list @returns {Changes} */
export function gathered(list) {
  /** @type {Changes} */
  const all = { boxes: new Map(), operations: [], covers: [] };
  for (const change of list) {
    if (change.kind === "box") all.boxes.set(change.frame, change.box);
    else if (change.kind === "cover") all.covers.push(change.cover);
    else if (change.kind === "call") all.operations.push(...change.operations);
    else
      for (const edit of change.edits)
        all.operations.push({ kind: "edit", frames: [change.frame, change.frame + 1], edit });
  }
  return all;
}

export class Run {
  /**
   * @param {Facts} facts
   * @param {Worker} worker
   */
  constructor(facts, worker) {
    this.facts = facts;
    this.worker = worker;
    this.name = "";
    /** @type {[number, number]} */
    this.size = [1, 1];
    /** @type {Frame[]} */
    this.frames = [];
    /** @type {Step[]} */
    this.steps = [];
    /** @type {Change[]} */
    this.list = [];
    this.generation = 0;
    this.from = 0; // the first frame that differs from what was there before this generation
    this.asked = 0;
    /** @type {Map<number, { resolve: (found: Float32Array<ArrayBuffer>) => void, reject: (why: Error) => void }>} */
    this.questions = new Map();
    /** @type {Set<(message: FromWorker | { type: "changed" }) => void>} */
    this.listeners = new Set();
    this.listen();
  }

  listen() {
    const { worker } = this;
    worker.addEventListener("message", ({ data }) => worker === this.worker && this.receive(data));
    worker.addEventListener("error", (event) => {
      this.tell({ type: "failed", message: event.message || "the browser did not start it" });
    });
  }

  /**
   * Go on in another worker, which begins with the first frame.
   * @param {Worker} worker
   */
  move(worker) {
    this.worker.terminate();
    this.worker = worker;
    this.listen();
    this.again(0);
    this.post({ type: "clear", generation: this.generation, size: this.size });
    this.post({ type: "frames", frames: this.frames });
    this.post({ type: "change", generation: this.generation, from: 0, changes: this.changes });
  }

  get changes() {
    return gathered(this.list);
  }

  /** @param {ToWorker} message @param {Transferable[]} moved */
  post(message, moved = []) {
    this.worker.postMessage(message, moved);
  }

  /** @param {FromWorker | { type: "changed" }} message */
  tell(message) {
    for (const listener of this.listeners) listener(message);
  }

  /** @param {FromWorker} message */
  receive(message) {
    if (message.type === "kept") this.frames.push({ blob: message.blob, time: message.time });
    if (message.type === "step") {
      if (message.generation !== this.generation) return;
      this.steps.push(message.step);
    }
    if (message.type === "explained") {
      this.questions.get(message.asked)?.resolve(message.projected);
      this.questions.delete(message.asked);
    }
    this.tell(message);
  }

  /**
   * Show another video from now on.
   * @param {string} name
   * @param {[number, number]} size
   */
  clear(name, size) {
    this.name = name;
    this.size = size;
    this.frames = [];
    this.list = [];
    this.again(0);
    this.post({ type: "clear", generation: this.generation, size });
    this.tell({ type: "changed" });
  }

  /** @param {Frame[]} frames */
  add(frames) {
    this.frames.push(...frames);
    this.post({ type: "frames", frames });
  }

  /** @param {number} from the first frame that is tracked again */
  again(from) {
    this.generation += 1;
    this.from = Math.min(from, this.steps.length);
    this.steps = this.steps.slice(0, from);
    for (const { reject } of this.questions.values()) reject(new Error("this frame is tracked again"));
    this.questions.clear();
  }

  /** @param {Change} change */
  change(change) {
    this.list = [...this.list, change];
    this.replay(change.frame);
  }

  /** Take the last change back. */
  undo() {
    const last = this.list.at(-1);
    if (!last) return;
    this.list = this.list.slice(0, -1);
    this.replay(last.frame);
  }

  /** Take all changes back, except for the box of the first frame. */
  reset() {
    const gone = this.list.filter((one) => one.kind !== "box" || one.frame > 0);
    this.list = this.list.filter((one) => !gone.includes(one));
    if (gone.length) this.replay(Math.min(...gone.map(({ frame }) => frame)));
  }

  /** @param {number} from */
  replay(from) {
    this.again(from);
    this.post({ type: "change", generation: this.generation, from: this.from, changes: this.changes });
    this.tell({ type: "changed" });
  }

  /**
   * V·F of a frame.
   * @param {number} frame
   * @returns {Promise<Float32Array<ArrayBuffer>>}
   */
  explain(frame) {
    this.asked += 1;
    const { asked } = this;
    this.post({ type: "explain", frame, asked });
    return new Promise((resolve, reject) => this.questions.set(asked, { resolve, reject }));
  }
}
