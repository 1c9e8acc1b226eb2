// Which frames to fetch, decode and forget: pure functions of where the cursor is.

const AHEAD = 600; // frames fetched ahead of the cursor
const BACK = 3; // going on is so many times likelier than going back: a quarter of what is held lies behind
export const CHUNK = 8; // records in a request; a single one where the cursor waits for it

/**
 * Where the cursor is, which way it moves (1 or −1), and how many frames the clip has.
 * @typedef {{ here: number, direction: number, count: number }} Place
 */

/**
 * Frames near the cursor in the order in which they are needed: a step back counts as much as BACK steps on.
 * @param {Place} place
 * @returns {Generator<number>}
 */
export function* needed({ here, direction, count }) {
  const inside = (/** @type {number} */ frame) => frame >= 0 && frame < count;
  if (inside(here)) yield here;
  for (let d = 1; d <= AHEAD; d++) {
    if (inside(here + d * direction)) yield here + d * direction;
    const back = here - (d / BACK) * direction;
    if (d % BACK === 0 && inside(back)) yield back;
  }
}

/**
 * The frames of the next request: the missing ones that are needed first; only the cursor's own while it is missing.
 * @param {Place} place
 * @param {(frame: number) => boolean} has
 * @param {number} room frames that may be held
 */
export function framesToFetch(place, has, room) {
  const urgent = place.here < place.count && !has(place.here);
  /** @type {number[]} */
  const frames = [];
  let seen = 0;
  for (const frame of needed(place)) {
    if (++seen > room || frames.length === (urgent ? 1 : CHUNK)) break;
    if (!has(frame)) frames.push(frame);
  }
  return frames;
}

/**
 * Over the budget, the records that are needed last go: by the same order, or they would be fetched again at once.
 * @param {Omit<Place, "count">} place
 * @param {Map<number, { bytes: number }>} records
 * @param {number} bytes of all records together
 * @param {number} budget
 */
export function framesToForget({ here, direction }, records, bytes, budget) {
  const rank = (/** @type {number} */ frame) => {
    const ahead = (frame - here) * direction;
    return ahead >= 0 ? ahead : -ahead * BACK;
  };
  const frames = [];
  let left = bytes;
  for (const [frame, record] of [...records].sort(([a], [b]) => rank(b) - rank(a))) {
    if (left <= budget) break;
    left -= record.bytes;
    frames.push(frame);
  }
  return frames;
}

/**
 * The frames nearest to the cursor, alternating ahead and behind, at most `room` of them; the cursor's own is not among
 * them.
 * @param {Place} place
 * @param {number} room
 */
export function around({ here, direction, count }, room) {
  const frames = [];
  for (let d = 1; frames.length + 1 < room && d < count; d++)
    for (const frame of [here + d * direction, here - d * direction])
      if (frame >= 0 && frame < count) frames.push(frame);
  return frames;
}
