// Animation frames that pass when a test says so.

import { vi } from "vitest";

/** Stand in for the browser's animation frames, until vi.unstubAllGlobals(). */
export function plainFrames() {
  /** @type {Map<number, (now: number) => void>} */
  const waiting = new Map();
  let count = 0;
  vi.stubGlobal("requestAnimationFrame", (/** @type {(now: number) => void} */ callback) => {
    count += 1;
    waiting.set(count, callback);
    return count;
  });
  vi.stubGlobal("cancelAnimationFrame", (/** @type {number} */ id) => waiting.delete(id));
  return {
    /** The next animation frame, at so many ms. */
    pass(now = 0) {
      const callbacks = [...waiting.values()];
      waiting.clear();
      for (const callback of callbacks) callback(now);
    },
  };
}
