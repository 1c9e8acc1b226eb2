// The feed's module: a store of the trace's data, for all views on this cursor.

import { Store } from "./store.js";

/** @import { Initial } from "./types.d.ts" */

export default {
  /** @param {Initial} context */
  initialize({ model, signal }) {
    return { store: new Store(model, signal) };
  },
};
