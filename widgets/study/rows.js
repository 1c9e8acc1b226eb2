// The rows of a long table: which are in sight, which to ask for, how the table is sorted, where keys go.

/** @typedef {{ name: string, label: string, about: string, number: boolean, down: boolean }} Column */
/** @typedef {{ name: string, cells: string[], about: string, lane: number[] | null }} Row */
/** @typedef {{ sort: string, down: boolean }} Order */

export const ROW = 30; // height of a row in CSS pixels
const SPARE = 20; // rows asked for above and below those in sight

/**
 * The rows to ask for, and those that are in sight.
 * @param {number} top how far the table is scrolled, in CSS pixels
 * @param {number} height of what is in sight
 * @param {number} total number of rows
 */
export function rowsInSight(top, height, total) {
  const first = Math.min(Math.max(0, Math.floor(top / ROW)), Math.max(0, total - 1));
  const last = Math.min(total, Math.ceil((top + height) / ROW));
  const from = Math.max(0, first - SPARE);
  return { first, last, from, count: Math.max(0, Math.min(total, last + SPARE) - from) };
}

/**
 * The order after a click on a heading: what to look at first comes first, then the other way round.
 * @param {Order} order
 * @param {Column} column
 * @returns {Order}
 */
export function orderAfter(order, { name, down }) {
  return { sort: name, down: order.sort === name ? !order.down : down };
}

/**
 * The row to which a key goes, or null if it is no key of the table or there are no rows.
 * @param {string} key
 * @param {number} here
 * @param {number} total
 * @param {number} page rows of a page
 */
export function rowAfter(key, here, total, page) {
  /** @type {Record<string, number>} */
  const to = {
    ArrowDown: here + 1,
    ArrowUp: here - 1,
    PageDown: here + page,
    PageUp: here - page,
    Home: 0,
    End: total - 1,
  };
  return key in to && total ? Math.min(Math.max(0, to[key]), total - 1) : null;
}

/**
 * The points of a lane's line in a box of 100 × 20, confidence 1 at the top.
 * @param {number[]} lane
 */
export function lanePoints(lane) {
  const step = lane.length > 1 ? 100 / (lane.length - 1) : 0;
  const all = lane.length > 1 ? lane.map((value, i) => [i * step, value]) : [[0, lane[0]], [100, lane[0]]]; // biome-ignore format: short
  return all.map(([x, value]) => `${x.toFixed(1)},${(19 - 18 * Math.min(1, Math.max(0, value))).toFixed(1)}`).join(" ");
}
