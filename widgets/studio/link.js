// The page's connection with Python: its state, and messages in both directions by their type.

import { listen } from "../core/mount.js";
import { unpack } from "../core/wire.js";

/** @import { Message, Model } from "../core/types.d.ts" */
/** @import { Clip, State } from "./types.d.ts" */

/** @typedef {(state: State, clip: Clip | null, isOtherClip: boolean) => void} Update */

export class Link {
  /**
   * @param {Model} model
   * @param {AbortSignal} signal
   */
  constructor(model, signal) {
    this.model = model;
    this.signal = signal;
    /** @type {Map<string, ((content: Message, buffers: DataView[]) => void)[]>} */
    this.listeners = new Map();
    /** @type {Clip | null} */
    this.clip = null;
    this.isOpening = false; // the page has asked for another clip
    const receive = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) => {
      for (const listener of this.listeners.get(content.type) ?? []) listener(content, buffers);
    };
    listen(model, ["msg:custom"], receive, signal);
  }

  /** @returns {State} */
  get state() {
    return this.model.get("_state");
  }

  /**
   * Call back with each message of a type, or with none of an older clip than the one that is shown.
   * @param {string} type
   * @param {(content: Message, buffers: DataView[]) => void} listener
   */
  on(type, listener) {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  /**
   * Call back now, and whenever the clip or the state changes.
   * @param {Update} update
   */
  watch(update) {
    const run = () => {
      const now = this.model.get("_clip");
      const isOther = (now.generation ?? -1) !== (this.clip?.generation ?? -1);
      if (isOther) this.clip = now.n ? { ...now, times: unpack(now.times, Float64Array) } : null;
      update(this.state, this.clip, isOther);
    };
    listen(this.model, ["change:_state", "change:_clip"], run, this.signal);
    run();
  }

  /**
   * @param {object} content
   * @param {ArrayBuffer[]} buffers
   */
  send(content, buffers = []) {
    try {
      this.model.send(content, undefined, buffers);
    } catch {} // the kernel is gone, which the note under the page says
  }
}

/**
 * The address of a picture in a message, to be revoked by who shows it.
 * @param {DataView} view
 */
export const pictureUrl = (view) =>
  URL.createObjectURL(new Blob([/** @type {DataView<ArrayBuffer>} */ (view)], { type: "image/jpeg" }));
