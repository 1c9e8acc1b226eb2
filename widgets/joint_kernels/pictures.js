// The pictures of a frame's message, decoded.

/** @import { Frame } from "./search.js" */

/**
 * The pictures of the last frame that was asked about: one as an address, one to draw.
 *
 * @param {() => void} ready
 * @param {AbortSignal} signal
 */
export function decodedPictures(ready, signal) {
  /** @type {{ data: Frame, url: string, before: ImageBitmap | null } | null} */
  let now = null;
  const forget = () => {
    if (now) URL.revokeObjectURL(now.url);
    now?.before?.close();
    now = null;
  };
  signal.addEventListener("abort", forget);
  return {
    /** @param {Frame} data */
    of(data) {
      if (now?.data === data) return now.before && { url: now.url, before: now.before };
      forget();
      const mine = { data, url: URL.createObjectURL(data.jpeg), before: /** @type {ImageBitmap | null} */ (null) };
      now = mine;
      createImageBitmap(data.before).then((bitmap) => {
        if (now !== mine) return bitmap.close();
        mine.before = bitmap;
        ready();
      });
      return null;
    },
  };
}
