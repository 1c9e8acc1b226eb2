// The shared state, in the browser: moves the frame, plays, and tells the kernel a few times a second.

import { Playback } from "./playback.js";

/** @import { CursorTraits, Initial, LayerName, Model } from "./types.d.ts" */
/** @import { Clock } from "./playback.js" */

/** @typedef {keyof CursorTraits} Name */

const SAVE_EVERY_MS = 100; // the kernel is told of the frame at most this often while it moves
const REMEMBERED = 16; // values that the kernel was told last: it echoes each

/** @type {Name[]} */
const TRAITS = ["frame", "joint", "layers", "cell", "playing", "speed", "range", "n_frames", "joint_names"];

/**
 * @param {string} name
 * @param {unknown} value
 */
const said = (name, value) => `${name} ${JSON.stringify(value)}`;

export class CursorState {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** @type {Set<(name: Name) => void>} */
    this.listeners = new Set();
    /** @type {Clock | null} */
    this.clock = null; // what is played, by the feed
    this.playback = new Playback(this);
    this.lastUserMove = 0; // when the user last asked for a frame (performance.now), for the latency read-out
    /** @type {number | null} */
    this.saveTimer = null;
    /** @type {Map<Name, unknown>} */
    this.unsaved = new Map(); // what the kernel was not told yet
    /** @type {string[]} */
    this.sent = [];
    this.count = model.get("n_frames");
    for (const name of TRAITS) model.on(`change:${name}`, () => this.told(name));
  }

  /**
   * The kernel says a trait's value. While something newer waits here, the echo of an older value is stale; what Python
   * says on its own wins.
   * @param {Name} name
   */
  told(name) {
    if (name === "n_frames") {
      const count = this.model.get("n_frames");
      if (count < this.count) this.unsaved.clear(); // another trace: its frames are others
      this.count = count;
    }
    if (this.unsaved.has(name)) {
      if (this.sent.includes(said(name, this.model.get(name)))) return;
      this.unsaved.delete(name);
    }
    this.changed(name);
  }

  /**
   * @template {Name} N
   * @param {N} name
   * @returns {CursorTraits[N]}
   */
  get(name) {
    const value = this.unsaved.has(name) ? this.unsaved.get(name) : this.model.get(name);
    return /** @type {CursorTraits[N]} */ (value);
  }

  /**
   * Call fn(name) at each change, until the signal ends it.
   * @param {(name: Name) => void} fn
   * @param {AbortSignal} [signal]
   */
  on(fn, signal) {
    this.listeners.add(fn);
    signal?.addEventListener("abort", () => this.listeners.delete(fn));
  }

  /** @param {Name} name */
  changed(name) {
    if (name === "playing") {
      if (this.get("playing")) this.playback.start();
      else this.playback.stop();
    }
    for (const fn of this.listeners) fn(name);
  }

  /**
   * @template {Name} N
   * @param {N} name
   * @param {CursorTraits[N]} value
   * @param {{ now?: boolean }} options whether the kernel is told at once, else soon
   */
  set(name, value, { now = true } = {}) {
    this.unsaved.set(name, value);
    this.changed(name);
    if (now) this.save();
    else this.saveTimer ??= setTimeout(() => this.save(), SAVE_EVERY_MS);
  }

  save() {
    clearTimeout(this.saveTimer ?? undefined);
    this.saveTimer = null;
    try {
      for (const [name, value] of this.unsaved) {
        this.sent = [...this.sent.slice(1 - REMEMBERED), said(name, value)];
        this.model.set(name, value);
      }
      this.unsaved.clear();
      this.model.save_changes();
    } catch (error) {
      console.warn("the kernel did not take the cursor's state", error); // a dead kernel: the browser goes on alone
    }
  }

  /**
   * Go to a frame, by the user's hand.
   * @param {number} frame
   * @param {number} stamp when the user asked for it
   */
  seek(frame, stamp = performance.now()) {
    const target = Math.max(0, Math.min(this.get("n_frames") - 1, Math.round(frame)));
    if (!Number.isFinite(target)) return;
    this.lastUserMove = stamp;
    if (this.get("playing")) this.playback.restart(target);
    this.set("frame", target, { now: false });
  }

  /** @param {number} count frames to go on, or back where it is negative */
  step(count) {
    if (this.get("playing")) this.set("playing", false);
    this.seek(this.get("frame") + count);
  }

  toggle() {
    const atEnd = this.get("frame") >= this.lastFrame();
    if (!this.get("playing") && atEnd) this.seek(this.firstFrame());
    this.set("playing", !this.get("playing"));
  }

  /**
   * @template {LayerName | "opacity"} L
   * @param {L} name
   * @param {CursorTraits["layers"][L]} value
   */
  setLayer(name, value) {
    this.set("layers", { ...this.get("layers"), [name]: value }, { now: name !== "opacity" });
  }

  firstFrame() {
    return this.get("range")?.[0] ?? 0;
  }

  lastFrame() {
    return this.get("range")?.[1] ?? this.get("n_frames") - 1;
  }

  /**
   * Play a clip from now on.
   * @param {Clock} clock
   */
  load(clock) {
    this.clock = clock;
    if (this.get("playing")) this.playback.start(); // asked for before there was anything to play
  }

  close() {
    clearTimeout(this.saveTimer ?? undefined);
    this.playback.stop();
  }
}

export default {
  /** @param {Initial} context */
  initialize({ model, signal }) {
    const cursor = new CursorState(model);
    signal.addEventListener("abort", () => cursor.close());
    return { cursor };
  },
};
