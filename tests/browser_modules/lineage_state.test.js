import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LineageState } from "../../widgets/lineage/state.js";
import { message, plainCursor, plainModel, plainStore } from "./plain_widget.js";

const GENERATION = 3;
const MATRIX = {
  type: "matrix",
  generation: GENERATION,
  joint: "",
  centred: false,
  other: null,
  range: [0.5, 1],
  jumps: [1],
  shares: [1, 0],
};
const matrix = (changes = {}) =>
  message({ ...MATRIX, ...changes }, [
    [["values"], Float32Array.of(1, 0.5, 0.5, 1)],
    [["rows"], Int32Array.of(0, 10)],
    [["columns"], Int32Array.of(0, 10)],
    [["drift"], Float32Array.of(NaN, 0.25)],
    [["scores"], Float32Array.of(0, 0, 1, 1)],
    [["frames"], Int32Array.of(0, 10)],
  ]);
const pictures = (/** @type {number} */ s, /** @type {number} */ t) =>
  message({ type: "pictures", s, t, images: [null, null] }, [
    [["images", 0], Uint8Array.of(1, 2)],
    [["images", 1], Uint8Array.of(3)],
  ]);

/** @import { CursorState } from "../../widgets/core/cursor.js" */
/** @import { PlainModel, PlainStore } from "./plain_widget.js" */

/** @type {PlainModel} */
let model;
/** @type {CursorState} */
let cursor;
/** @type {PlainStore} */
let store;
/** @type {AbortController} */
let end;
/** @type {LineageState} */
let state;

beforeEach(() => {
  vi.useFakeTimers();
  model = plainModel({ kernel: "whole", centred: false, reliance: false });
  cursor = plainCursor({ joint: "left_wrist" });
  store = plainStore({ generation: GENERATION, n_frames: 20, channels: 2 });
  end = new AbortController();
  state = new LineageState(model, store, cursor, end.signal);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("what Python sends", () => {
  test("a matrix is shown, and a first cell selected without moving the cursor", () => {
    cursor.seek(9);
    model.tell(...matrix());
    expect([...(state.matrix?.values ?? [])]).toEqual([1, 0.5, 0.5, 1]);
    expect([...(state.matrix?.columns ?? [])]).toEqual([0, 10]);
    expect(state.chosen).toEqual({ s: 0, t: 10 });
    expect(cursor.get("frame")).toBe(9);
    expect(store.paintings).toBeGreaterThan(0);
  });

  test("what is of another trace is dropped", () => {
    model.tell(...matrix({ generation: GENERATION - 1 }));
    expect(state.matrix).toBeNull();
  });

  test("another matrix leaves the selected frames", () => {
    model.tell(...matrix());
    state.select([1, 0], false);
    model.tell(...matrix({ joint: "head" }));
    expect(state.chosen).toEqual({ s: 10, t: 0 });
    expect(state.chosenCell).toEqual([1, 0]);
  });

  test("a failure stands until it is computed, or something else is asked for", () => {
    model.tell({ type: "failed", what: "matrix" });
    expect(state.failed.has("matrix")).toBe(true);
    model.tell(...matrix());
    expect(state.failed.has("matrix")).toBe(false);
    model.tell({ type: "failed", what: "matrix" });
    model.set("centred", true);
    expect(state.failed.size).toBe(0);
  });

  test("pictures of a cell that was left are dropped", () => {
    model.tell(...matrix());
    state.select([0, 1], true);
    state.select([1, 1], true);
    model.tell(...pictures(0, 10));
    expect(state.pictures).toBeNull();
    model.tell(...pictures(10, 10));
    expect(state.pictures).toMatchObject({ s: 10, t: 10 });
    expect(state.pictures?.images.map((image) => [...image])).toEqual([[1, 2], [3]]);
  });

  test("nothing is received once the view is gone", () => {
    end.abort();
    model.tell(...matrix());
    expect(state.matrix).toBeNull();
  });
});

describe("a page from a file", () => {
  test("is asked for what is shown, as no Python hears of a choice", () => {
    model.set("centred", true);
    cursor.set("joint", "head");
    expect(model.sent).toEqual([]);
    model.set("_recorded", true);
    model.set("kernel", "selected");
    expect(model.sent.at(-1)).toEqual({ type: "matrix", joint: "head", centred: true });
    cursor.set("joint", "left_knee");
    expect(model.sent.at(-1)).toEqual({ type: "matrix", joint: "left_knee", centred: true });
    model.set("reliance", true);
    expect(model.sent.at(-1)).toEqual({ type: "reliance", joint: "left_knee" });
  });
});

describe("selecting", () => {
  beforeEach(() => {
    model.tell(...matrix());
    vi.runAllTimers();
    model.sent.length = 0;
  });

  test("a click goes to frame t and asks for both pictures", () => {
    state.select([0, 1], true);
    expect(cursor.get("frame")).toBe(10);
    vi.runAllTimers();
    expect(model.sent).toEqual([{ type: "pictures", s: 0, t: 10 }]);
  });

  test("cells that the keys pass quickly are not asked for", () => {
    state.select([0, 1], false);
    state.select([1, 1], false);
    state.select([1, 0], false);
    vi.runAllTimers();
    expect(cursor.get("frame")).toBe(0);
    expect(model.sent).toEqual([{ type: "pictures", s: 10, t: 0 }]);
  });

  test("beyond the edge the cell at the edge is selected", () => {
    state.select([-5, 9], false);
    expect(state.chosen).toEqual({ s: 0, t: 10 });
  });

  test("without a kernel the view says so", () => {
    model.isGone = true;
    state.select([0, 1], true);
    vi.runAllTimers();
    expect(store.said).toContain("does not answer");
  });
});

describe("whose kernels", () => {
  test("the whole, the selected joint's, or a named joint's", () => {
    expect([state.kernelJoint, state.relianceJoint]).toEqual(["", "left_wrist"]);
    model.set("kernel", "selected");
    expect([state.kernelJoint, state.relianceJoint]).toEqual(["left_wrist", "left_wrist"]);
    cursor.set("joint", "head");
    expect(state.kernelJoint).toBe("head");
    model.set("kernel", "right_knee");
    expect([state.kernelJoint, state.relianceJoint]).toEqual(["right_knee", "right_knee"]);
  });

  test("a matrix is stale while another one is wanted", () => {
    expect(state.isStale).toBe(true);
    model.tell(...matrix());
    expect(state.isStale).toBe(false);
    model.set("kernel", "selected");
    expect(state.isStale).toBe(true);
    model.tell(...matrix({ joint: "left_wrist" }));
    expect(state.isStale).toBe(false);
    model.set("centred", true);
    expect(state.isStale).toBe(true);
  });

  test("shares of a sample that was stopped are forgotten when something else is chosen; complete ones are kept", () => {
    model.set("reliance", true);
    const shares = (/** @type {boolean} */ complete) =>
      message({ type: "reliance", generation: GENERATION, joint: "head", channels: [0], complete }, [
        [["frames"], Int32Array.of(1)],
        [["shares"], Float32Array.of(1)],
      ]);
    model.tell(...shares(false));
    model.set("kernel", "head");
    expect(state.reliance).toBeNull();
    model.tell(...shares(true));
    model.set("kernel", "whole");
    expect(state.reliance?.joint).toBe("head");
    model.set("reliance", false);
    expect(state.reliance).toBeNull();
  });

  test("another trace starts from nothing", () => {
    model.tell(...matrix());
    state.reset();
    expect([state.matrix, state.chosen, state.reliance, state.pictures]).toEqual([null, null, null, null]);
  });
});
