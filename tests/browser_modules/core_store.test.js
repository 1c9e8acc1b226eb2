// What the store asks Python for, what it keeps of another trace, and which frame it shows.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CursorState } from "../../widgets/core/cursor.js";
import { Store } from "../../widgets/core/store.js";
import { plainFrames } from "./plain_frames.js";
import { message, plainModel } from "./plain_widget.js";

/** @import { FrameRecord, Message } from "../../widgets/core/types.d.ts" */

let frames = { pass: () => {} };

// Pictures may be decoded still when a test is over.
Object.assign(globalThis, { createImageBitmap: async () => ({ close() {} }) });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  frames = plainFrames();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Let pictures be decoded and animation frames pass, until nothing is left to do. */
async function settle() {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
    frames.pass();
  }
}

const CURSOR = { frame: 5, joint: "head", cell: null, playing: false, speed: 1, range: null, n_frames: 40 };

/** A store with a cursor and one view, as the feed makes it. */
function opened({ needsDetail = false } = {}) {
  const model = plainModel();
  const ended = new AbortController();
  const store = new Store(model, ended.signal);
  const cursor = new CursorState(plainModel({ ...CURSOR, joint_names: ["head", "left_wrist"], layers: {} }));
  /** @type {number[]} */
  const painted = [];
  store.attach(cursor);
  const view = new AbortController();
  store.add({ paint: (record) => void painted.push(record.frame), needsDetail }, view.signal);
  const asked = () => model.sent.filter(({ type }) => type === "records").map((request) => request.frames);
  return { model, store, cursor, painted, asked, ended, view };
}

const HEADER = {
  type: "header", generation: 0, n_frames: 40, joints: ["head", "left_wrist"], image: [4, 2], map: [4, 4], channels: 2,
  kernel: 3, calibrated: false, reinitialised: [{ frame: 9 }], strange: [], unmatched: [0], worst: [[], []],
}; // biome-ignore format: a table

/** @param {Partial<Message>} changes */
function header(changes = {}) {
  const scores = new Float32Array(80).map((_, i) => (i % 2 ? 1 : 0.5));
  const content = { ...HEADER, ...changes };
  return message(content, [
    [["times"], new Float64Array(40).map((_, t) => t / 10)],
    [["scores"], scores],
    [["confidence"], new Float32Array(80).fill(0.25)],
    [["bias"], new Float32Array([0.1, 0.2])],
    [["readout"], new Float32Array([1, 2, 3, 4])],
  ]);
}

/** @param {number[]} wanted */
function records(wanted, generation = 0) {
  const entries = wanted.map((frame) => ({ frame, crop: [0, 0, 4], kernel_scale: 1 }));
  return message(
    { type: "records", generation, records: entries },
    wanted.flatMap((frame, i) => [
      [["records", i, "jpeg"], new Uint8Array(frame + 1)],
      [["records", i, "maps"], new Uint8Array(32)],
      [["records", i, "kernels"], new Int8Array(18)],
      [["records", i, "peaks"], new Uint8Array([1, 2, 3, 0])],
    ]),
  );
}

test("a store asks for the cursor's frame first, one request at a time", async () => {
  const { model, store, painted, asked } = opened();
  expect(model.sent).toEqual([]); // the stub has said hello
  model.tell(...header());
  expect(asked()).toEqual([[5]]);
  model.tell(...records([5]));
  expect(asked()).toHaveLength(1); // what lies ahead waits for the first painting
  await settle();
  expect(painted).toEqual([5]);
  expect(asked()).toEqual([[5], [6, 7, 8, 4, 9, 10, 11, 3]]);
  store.fetch();
  expect(asked()).toHaveLength(2);
  expect(store.header.meanSureness[3]).toBe(0.75);
  expect([store.header.starts, store.header.initial]).toEqual([[9], new Set([0])]);
});

test("what the greeting was answered before a view is here is kept for it, if nothing else has happened since", async () => {
  const answered = (/** @type {[Message, DataView[]][]} */ messages) => {
    const model = plainModel();
    const ended = new AbortController();
    const store = new Store(model, ended.signal);
    for (const message of messages) model.tell(...message);
    store.attach(new CursorState(plainModel({ ...CURSOR, joint_names: ["head", "left_wrist"], layers: {} })));
    const painted = /** @type {number[]} */ ([]);
    store.add({ paint: (record) => void painted.push(record.frame) }, ended.signal);
    return { store, model, painted };
  };
  const greeting = [header({ record_follows: true }), records([5])];
  const early = answered(greeting);
  await settle();
  expect(early.painted).toEqual([5]);
  expect(early.model.sent.map(({ type }) => type)).toEqual(["records"]); // the next ones
  const half = answered(greeting.slice(0, 1));
  expect(half.model.sent).toEqual([]); // the record is on its way
  const stale = answered([...greeting, header({ generation: 1 })]);
  expect(stale.store.header).toBe(null);
  expect(stale.model.sent).toEqual([{ type: "hello" }]);
});

test("what comes with the state is shown without being asked for, before or after a view is here", async () => {
  const first = [header({ record_follows: true }), records([5])];
  const model = plainModel({ _offered: first });
  const ended = new AbortController();
  const store = new Store(model, ended.signal);
  store.attach(new CursorState(plainModel({ ...CURSOR, joint_names: ["head", "left_wrist"], layers: {} })));
  const painted = /** @type {number[]} */ ([]);
  store.add({ paint: (record) => void painted.push(record.frame) }, ended.signal);
  await settle();
  expect(painted).toEqual([5]);
  expect(model.sent.map(({ type }) => type)).toEqual(["records"]);
  const later = opened();
  later.model.set("_offered", first); // read twice: the state is not changed by reading it
  await settle();
  expect(later.painted).toEqual([5]);
  later.model.set("_offered", []);
  await settle();
  expect(later.painted).toEqual([5]);
});

test("a calibrated trace is as sure as its confidence says", () => {
  const { model, store } = opened();
  model.tell(...header({ calibrated: true }));
  expect(store.header.meanSureness[0]).toBe(0.25);
});

test("the cursor's own frame comes before the chunk that would be next", async () => {
  const { model, cursor, asked } = opened();
  model.tell(...header());
  model.tell(...records([5]));
  await settle();
  cursor.seek(30);
  expect(asked()).toHaveLength(2); // the chunk is under way
  model.tell(...records([6, 7, 8, 4, 9, 10, 11, 3]));
  expect(asked()[2]).toEqual([30]);
  cursor.seek(29);
  model.tell(...records([30]));
  model.tell(...records([29]));
  expect(asked()[4].slice(0, 4)).toEqual([28, 27, 26, 25]); // the cursor goes back now
});

test("answers of another trace are dropped, and what it shares with this one is kept", async () => {
  const { model, store, painted, asked } = opened();
  model.tell(...header());
  model.tell(...records([5]));
  model.tell(...records([6, 7, 8, 4, 9, 10, 11, 3]));
  await settle();
  model.tell(...header({ generation: 1, keep: 7 }));
  expect([...store.records.keys()].sort()).toEqual([3, 4, 5, 6]);
  expect(store.shown?.frame).toBe(5);
  model.tell(...records([20], 0));
  expect(store.records.has(20)).toBe(false);
  expect(asked().at(-1)?.slice(0, 3)).toEqual([7, 8, 9]);
  model.tell(...header({ generation: 2 }));
  expect(store.records.size).toBe(0);
  expect(store.shown).toBe(null);
  model.tell(...records([5], 2));
  await settle();
  expect(painted.at(-1)).toBe(5);
});

test("where a record follows the header by itself, none is asked for", async () => {
  const { model, asked } = opened();
  model.tell(...header({ record_follows: true }));
  expect(asked()).toEqual([]);
  model.tell(...records([5]));
  await settle();
  expect(asked()).toHaveLength(1);
});

test("while the wanted frame is not here, the one before stays; a frame that was passed is shown in between", async () => {
  const { model, store, cursor, painted } = opened();
  model.tell(...header());
  model.tell(...records([5]));
  await settle();
  cursor.seek(8);
  await settle();
  expect(painted.at(-1)).toBe(5);
  store.asked = false;
  model.tell(...records([8]));
  await settle();
  expect([painted.at(-1), store.shown?.frame]).toEqual([8, 8]);
});

test("exact numbers are asked for once the cursor rests, and not again after an error until it moves", async () => {
  const { model, store, cursor } = opened({ needsDetail: true });
  const details = () => model.sent.filter(({ type }) => type === "detail").map(({ frame }) => frame);
  model.tell(...header());
  model.tell(...records([5]));
  await settle();
  expect(details()).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(details()).toEqual([5]);
  model.tell({ type: "error", asked: "detail", message: "no" });
  expect(store.status).toBe("no");
  store.schedule();
  await settle();
  vi.advanceTimersByTime(1000);
  expect(details()).toEqual([5]);
  cursor.seek(4);
  store.asked = false;
  model.tell(...records([4]));
  await settle();
  vi.advanceTimersByTime(200);
  expect(details()).toEqual([5, 4]);
  const numbers = { type: "detail", generation: 0, frame: 4 };
  model.tell(
    ...message(numbers, [
      [["projected"], new Float32Array(32)],
      [["kernels"], new Float32Array(18)],
    ]),
  );
  expect(store.explain(1, 2, 2)?.value).toBeCloseTo(0.2);
  expect(store.explain(0, 2, 2)).toBe(store.explain(0, 2, 2)); // two views ask for the same cell
});

test("frames that the initializer made have no exact numbers to ask for", async () => {
  const { model, cursor } = opened({ needsDetail: true });
  model.tell(...header());
  cursor.seek(0);
  model.tell(...records([5]));
  model.tell(...records([0]));
  await settle();
  vi.advanceTimersByTime(1000);
  expect(model.sent.some(({ type }) => type === "detail")).toBe(false);
});

test("the pointer's cell comes before the pinned one, and that before the peak", () => {
  const { model, store, cursor } = opened();
  model.tell(...header());
  store.show(/** @type {FrameRecord} */ (/** @type {unknown} */ ({ frame: 5, peaks: [1, 2, 3, 0] })));
  expect(store.cell()).toEqual({ x: 1, y: 2, why: "peak" });
  cursor.set("joint", "left_wrist");
  expect(store.cell()).toEqual({ x: 3, y: 0, why: "peak" });
  cursor.set("cell", [9, 1]);
  expect(store.cell()).toEqual({ x: 3, y: 1, why: "pinned" }); // as far as this map goes
  store.point([0, 0]);
  expect(store.cell().why).toBe("pointer");
});

test("a kernel that is gone is said, and what is here stays", async () => {
  const { model, store } = opened();
  model.tell(...header());
  model.tell(...records([5]));
  await settle();
  model.isGone = true;
  store.asked = false;
  store.fetch();
  expect(store.status).toMatch(/kernel does not answer/);
  expect(store.records.has(5)).toBe(true);
});

test("a slow kernel is said after a while, and no longer once it has answered", () => {
  const { model, store } = opened();
  vi.advanceTimersByTime(1600);
  expect(store.status).toMatch(/waiting/);
  model.tell(...header());
  expect(store.status).toBe("");
});

test("when the last view leaves the page, frames are freed; for another view they are asked for again", async () => {
  const { store, model, asked, view } = opened();
  model.tell(...header());
  model.tell(...records([5]));
  await settle();
  expect([store.records.size, store.pictures.bitmaps.size]).toEqual([1, 1]);
  const before = asked().length;
  view.abort();
  expect([store.records.size, store.records.bytes, store.pictures.bitmaps.size]).toEqual([0, 0, 0]);
  model.tell(...records([6, 7])); // an answer that was under way
  expect(store.records.size).toBe(0);
  const painted = /** @type {number[]} */ ([]);
  store.add({ paint: (record) => void painted.push(record.frame) }, new AbortController().signal);
  expect(asked().slice(before)).toEqual([[5]]);
  model.tell(...records([5]));
  await settle();
  expect(painted).toEqual([5]);
});
