// Which frames are fetched, kept and forgotten.

import { expect, test } from "vitest";
import { around, CHUNK, framesToFetch, framesToForget, needed } from "../../widgets/core/fetching.js";
import { Records } from "../../widgets/core/records.js";

/** @import { FrameRecord } from "../../widgets/core/types.d.ts" */

const nothing = () => false;

/**
 * A record of so many bytes.
 * @param {number} frame
 * @returns {FrameRecord}
 */
const record = (frame, bytes = 10) => /** @type {FrameRecord} */ ({ frame, bytes });

test("frames are needed in the direction of travel, one behind for three ahead", () => {
  const order = [...needed({ here: 10, direction: 1, count: 1000 })];
  expect(order.slice(0, 9)).toEqual([10, 11, 12, 13, 9, 14, 15, 16, 8]);
  const back = [...needed({ here: 10, direction: -1, count: 1000 })];
  expect(back.slice(0, 6)).toEqual([10, 9, 8, 7, 11, 6]);
});

test("no frame is needed twice, and none outside the clip", () => {
  for (const place of [
    { here: 0, direction: 1, count: 7 },
    { here: 6, direction: 1, count: 7 },
    { here: 3, direction: -1, count: 7 },
  ]) {
    const order = [...needed(place)];
    expect(new Set(order)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    expect(order).toHaveLength(7);
  }
});

test("the cursor's own frame is asked for alone while it is missing", () => {
  expect(framesToFetch({ here: 20, direction: 1, count: 60 }, nothing, 100)).toEqual([20]);
});

test("then the next ones come in chunks, without those that are here", () => {
  const held = new Set([20, 22]);
  const frames = framesToFetch({ here: 20, direction: 1, count: 60 }, (t) => held.has(t), 100);
  expect(frames).toHaveLength(CHUNK);
  expect(frames).toEqual([21, 23, 19, 24, 25, 26, 18, 27]);
});

test("no more is asked for than there is room for", () => {
  const held = new Set([20]);
  const has = (/** @type {number} */ t) => held.has(t);
  expect(framesToFetch({ here: 20, direction: 1, count: 60 }, has, 4)).toEqual([21, 22, 23]);
  for (const t of [21, 22, 23]) held.add(t);
  expect(framesToFetch({ here: 20, direction: 1, count: 60 }, has, 4)).toEqual([]);
});

test("a cursor beyond the frames that are computed so far asks for none of its own", () => {
  const held = new Set([4]);
  expect(framesToFetch({ here: 9, direction: 1, count: 5 }, (t) => held.has(t), 100)).toEqual([3, 2, 1, 0].slice(0, 4));
});

test("what is forgotten is what is needed last, until the rest fits", () => {
  const records = new Map(Array.from({ length: 21 }, (_, t) => [t, record(t)]));
  const gone = framesToForget({ here: 10, direction: 1 }, records, 210, 160);
  expect(gone).toEqual([0, 1, 2, 3, 4]); // a step back weighs three steps on
  expect(framesToForget({ here: 10, direction: 1 }, records, 160, 160)).toEqual([]);
});

test("what was forgotten is not fetched again at once", () => {
  for (const direction of [1, -1])
    for (const here of [0, 7, 30, 59]) {
      const records = new Records();
      const place = { here, direction, count: 60 };
      records.budget = 200; // 20 records
      for (let turn = 0; turn < 50; turn++) {
        const frames = records.missing(place);
        if (!frames.length) break;
        for (const frame of frames) records.hold(record(frame));
        records.forget(place);
      }
      expect(records.missing(place)).toEqual([]);
      expect(records.bytes).toBeLessThanOrEqual(200);
      expect(records.has(here)).toBe(true);
      const kept = new Set(records.keys());
      records.forget(place);
      expect(new Set(records.keys())).toEqual(kept);
    }
});

test("the bytes that are held are counted once per frame", () => {
  const records = new Records();
  records.hold(record(1, 5));
  records.hold(record(2, 7));
  records.hold(record(1, 6));
  expect(records.bytes).toBe(13);
  records.drop(2);
  records.drop(9);
  expect(records.bytes).toBe(6);
  records.dropAll();
  expect([records.bytes, records.size]).toEqual([0, 0]);
});

test("pictures are decoded on both sides, the nearest first, without the cursor's own", () => {
  expect(around({ here: 5, direction: 1, count: 60 }, 5)).toEqual([6, 4, 7, 3]);
  expect(around({ here: 5, direction: -1, count: 60 }, 5)).toEqual([4, 6, 3, 7]);
  expect(around({ here: 0, direction: 1, count: 3 }, 8)).toEqual([1, 2]);
});
