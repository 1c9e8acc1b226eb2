// Plays two runs of a page together.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */

/**
 * Let the cursor wait for both runs while it plays, and paint both at once; each store alone would only wait for its
 * own.
 * @param {CursorState} cursor
 * @param {Store[]} stores
 */
export function playTogether(cursor, stores) {
  const { header } = stores[0];
  if (!header || stores.some((store) => !store.header)) return;
  cursor.clock = {
    times: header.times,
    ready: (frame) => stores.map((store) => !store.decode(frame, true)).every(Boolean),
    paint: () => {
      for (const store of stores) store.paint();
    },
  };
}
