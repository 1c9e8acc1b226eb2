// The cursor: what the kernel is told, its echo, and playing.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CursorState } from "../../widgets/core/cursor.js";
import { frameDue } from "../../widgets/core/playback.js";
import { plainFrames } from "./plain_frames.js";
import { plainModel } from "./plain_widget.js";

const START = {
  frame: 3,
  joint: "head",
  layers: { skeleton: true, opacity: 0.6 },
  cell: null,
  playing: false,
  speed: 1,
};

let frames = { pass: (/** @type {number} */ _now) => {} };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  frames = plainFrames();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A cursor, and what the kernel was told: [name, value] each time. */
function opened(traits = {}) {
  const model = plainModel({ ...START, range: null, n_frames: 20, joint_names: ["head"], ...traits });
  const hear = model.set.bind(model);
  /** @type {[string, unknown][]} */
  const told = [];
  let saves = 0;
  model.set = (name, value) => {
    told.push([name, value]);
    hear(name, value);
  };
  model.save_changes = () => {
    if (model.isGone) throw new Error("the comm is closed");
    saves += 1;
  };
  const cursor = new CursorState(model);
  return { model, cursor, told, saves: () => saves, hear };
}

/**
 * One animation frame after another, so many ms apart.
 * @param {number} count
 */
function pass(count, ms = 50, from = 0) {
  for (let i = 0; i < count; i++) frames.pass(from + i * ms);
}

test("while the frame moves, the kernel is told a few times per second, and always where it stops", () => {
  const { cursor, told, saves } = opened();
  for (const frame of [4, 5, 6]) cursor.seek(frame);
  expect(told).toEqual([]);
  expect(cursor.get("frame")).toBe(6); // views see it at once
  vi.advanceTimersByTime(100);
  expect(told).toEqual([["frame", 6]]);
  cursor.seek(7);
  vi.advanceTimersByTime(99);
  expect(saves()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(told.at(-1)).toEqual(["frame", 7]);
});

test("the stale echo of an older value does not pull the frame back", () => {
  const { cursor, hear } = opened();
  cursor.seek(5);
  vi.advanceTimersByTime(100);
  cursor.seek(9);
  hear("frame", 5); // the echo of what was sent
  expect(cursor.get("frame")).toBe(9);
  vi.advanceTimersByTime(100);
  expect(cursor.unsaved.size).toBe(0);
});

test("what Python says on its own wins over what waits here", () => {
  const { cursor, hear } = opened();
  /** @type {string[]} */
  const changes = [];
  cursor.on((name) => void changes.push(`${name} ${cursor.get("frame")}`));
  cursor.seek(9);
  hear("frame", 14);
  expect(cursor.get("frame")).toBe(14);
  expect(changes).toEqual(["frame 9", "frame 14"]);
});

test("a trace of another length forgets what was not told yet", () => {
  const { cursor, hear } = opened();
  cursor.seek(9);
  hear("n_frames", 5);
  expect(cursor.unsaved.size).toBe(0);
});

test("a frame outside the clip is the first or the last, and what is no number moves nothing", () => {
  const { cursor } = opened();
  cursor.seek(99);
  expect(cursor.get("frame")).toBe(19);
  cursor.seek(-5);
  expect(cursor.get("frame")).toBe(0);
  cursor.seek(Number.NaN);
  expect(cursor.get("frame")).toBe(0);
  cursor.seek(7.6);
  expect(cursor.get("frame")).toBe(8);
});

test("a dead kernel leaves the cursor to the browser", () => {
  const { model, cursor } = opened();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  model.isGone = true;
  cursor.set("joint", "left_wrist");
  expect(cursor.get("joint")).toBe("left_wrist");
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
});

test("a listener ends with its signal", () => {
  const { cursor } = opened();
  const ended = new AbortController();
  /** @type {string[]} */
  const calls = [];
  cursor.on((name) => void calls.push(name), ended.signal);
  cursor.seek(4);
  ended.abort();
  cursor.seek(5);
  expect(calls).toEqual(["frame"]);
});

test("a layer is switched without the others; opacity is told as the frame is, while it is dragged", () => {
  const { cursor, told } = opened();
  cursor.setLayer("opacity", 0.3);
  expect(told).toEqual([]);
  cursor.setLayer("skeleton", false);
  expect(told).toEqual([["layers", { skeleton: false, opacity: 0.3 }]]);
});

test("frames are due by the clip's own times", () => {
  const times = [0, 0.1, 0.15, 0.5, 0.6];
  expect(frameDue(times, 0, 4, 0.05)).toBe(0);
  expect(frameDue(times, 0, 4, 0.16)).toBe(2);
  expect(frameDue(times, 2, 4, 0.497)).toBe(3); // a little early, or the beat of screen and clip would show
  expect(frameDue(times, 2, 3, 9)).toBe(3);
});

test("playing goes by the clock at the chosen speed and stops at the end", () => {
  const { cursor } = opened({ speed: 2 });
  const painted = [];
  cursor.load({
    times: Array.from({ length: 20 }, (_, t) => t / 10),
    ready: () => true,
    paint: () => void painted.push(1),
  });
  cursor.toggle();
  pass(2, 100);
  expect(cursor.get("frame")).toBe(5); // 0.1 s at double speed
  pass(40, 100, 200);
  expect([cursor.get("frame"), cursor.get("playing")]).toEqual([19, false]);
  cursor.toggle();
  expect([cursor.get("frame"), cursor.get("playing")]).toEqual([0, true]); // at the end it starts over
});

test("playing waits for a frame that cannot be painted yet", () => {
  const { cursor } = opened();
  let isReady = false;
  cursor.load({ times: Array.from({ length: 20 }, (_, t) => t / 10), ready: () => isReady, paint: () => {} });
  cursor.toggle();
  pass(30, 100);
  expect(cursor.get("frame")).toBe(3);
  isReady = true;
  pass(3, 100, 3000);
  expect(cursor.get("frame")).toBe(5); // and loses no time of the clip
});

test("a selected range is repeated", () => {
  const { cursor } = opened({ range: [3, 6] });
  cursor.load({ times: Array.from({ length: 20 }, (_, t) => t / 10), ready: () => true, paint: () => {} });
  cursor.toggle();
  const seen = new Set();
  for (let i = 0; i < 30; i++) {
    pass(1, 100, i * 100);
    seen.add(cursor.get("frame"));
  }
  expect(seen).toEqual(new Set([3, 4, 5, 6]));
  expect(cursor.get("playing")).toBe(true);
  cursor.step(1);
  expect(cursor.get("playing")).toBe(false);
});

test("a trace that grows forgets nothing", () => {
  const { cursor, hear } = opened();
  cursor.seek(9);
  hear("n_frames", 25);
  expect(cursor.get("frame")).toBe(9);
  expect(cursor.unsaved.size).toBe(1);
  cursor.seek(24);
  expect(cursor.get("frame")).toBe(24);
});
