// Which moments the gallery shows, in which order, and where the arrow keys go.

/**
 * A moment, see gallery.py. `error` is a share of the normaliser, null where there is no position.
 * @typedef {{
 *   key: string, model: string, data: string, video: string, joint: string, kind: string, labels: string,
 *   action: string, visibility: string, frame: number, run: number, error: number | null, score: number | null,
 *   picture: DataView<ArrayBuffer>,
 * }} Item
 */

/** @type {Record<"error" | "score" | "run" | "frame", (a: Item, b: Item) => number>} */
const SORTS = {
  error: (a, b) => (b.error ?? -1) - (a.error ?? -1),
  score: (a, b) => (a.score ?? 2) - (b.score ?? 2),
  run: (a, b) => b.run - a.run || (b.error ?? -1) - (a.error ?? -1),
  frame: (a, b) => a.frame - b.frame,
};

/** @typedef {keyof typeof SORTS} Sort */

/**
 * A field of an item as text.
 * @param {Item} item
 * @param {string} name
 */
const field = (item, name) => String(item[/** @type {keyof Item} */ (name)]);

/**
 * @param {Item[]} items
 * @param {Record<string, string>} chosen field → the value that it must have; "" for any
 * @param {Sort} sort
 */
export const shownItems = (items, chosen, sort) =>
  items
    .filter((item) => Object.entries(chosen).every(([name, value]) => !value || field(item, name) === value))
    .sort(SORTS[sort]);

/**
 * What a field can be filtered by: the values that there are.
 * @param {Item[]} items
 * @param {string} name
 */
export const optionsOf = (items, name) => [...new Set(items.map((item) => field(item, name)))].sort();

/**
 * The tile that a key goes to, as they stand on the screen; may lie outside. undefined for other keys.
 * @param {string} key
 * @param {number} here
 * @param {number} count
 * @param {number} perRow
 */
export function nextTile(key, here, count, perRow) {
  const steps = new Map([
    ["ArrowLeft", here - 1],
    ["ArrowRight", here + 1],
    ["ArrowUp", here - perRow],
    ["ArrowDown", here + perRow],
    ["Home", 0],
    ["End", count - 1],
  ]);
  return steps.get(key);
}
