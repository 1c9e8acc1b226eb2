// The exact numbers of the shown frame: asked for once the cursor rests, and now and then while playing.

import { isUnexplained } from "./text.js";

/** @import { Detail, Message } from "./types.d.ts" */
/** @import { Store } from "./store.js" */

const REST_MS = 120; // the cursor rests: time for the exact detail
const PLAYING_MS = 500; // while playing, a detail at most this often

export class Details {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.timer = 0;
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = 0;
    /** @type {Detail | null} */
    this.detail = null;
    this.asked = false;
    /** @type {number | undefined} */
    this.failed = undefined; // the frame whose detail could not be had
  }

  /**
   * A request failed: there is no new one until the cursor moves, since an error must not repeat itself.
   * @param {boolean} isDetail
   */
  refused(isDetail) {
    if (isDetail) this.asked = false;
    this.failed = this.store.shown?.frame;
  }

  /**
   * The first `count` frames are the same in another run, or in more of the same one.
   * @param {number} count
   * @param {boolean} isOther
   */
  keep(count, isOther) {
    if (this.detail && this.detail.frame >= count) this.detail = null;
    this.failed = undefined;
    if (isOther) this.asked = false;
  }

  /** @param {Message} message */
  receive({ frame, previous, projected, kernels }) {
    this.asked = false;
    this.detail = { frame, previous, projected, kernels };
    this.store.schedule();
  }

  /** @param {number} frame */
  isSettled(frame) {
    const { header } = this.store;
    if (header.initial.has(frame) || isUnexplained(header, frame)) return true;
    return frame === this.detail?.frame || frame === this.failed;
  }

  want() {
    const { store } = this;
    const playing = store.cursor.get("playing");
    if (playing && this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    if (!store.header.channels || !store.shown) return; // no kernels, no arithmetic
    if (this.asked || this.isSettled(store.shown.frame)) return;
    if (![...store.views].some((view) => view.needsDetail)) return;
    this.timer = setTimeout(() => this.ask(), playing ? PLAYING_MS : REST_MS);
  }

  ask() {
    this.timer = 0;
    const { store } = this;
    if (!store.shown || this.isSettled(store.shown.frame)) return;
    this.failed = undefined;
    const { generation } = store.header;
    this.asked = store.send({ type: "detail", generation, frame: store.shown.frame });
  }
}
