import { beforeEach, describe, expect, test } from "vitest";
import { askCode, askFile } from "../../widgets/coherence/exports.js";
import { DebuggerState } from "../../widgets/coherence/state.js";
import { message, plainCursor, plainModel, plainStore } from "./plain_widget.js";

const GENERATION = 7;
const LANES = [
  { key: "confidence", values: [null, null], joints: true, limit: 0.5, low_is_bad: true },
  { key: "speed", values: [null, null], joints: true, limit: null, low_is_bad: false },
  { key: "border", values: [null, null], joints: true, limit: null, low_is_bad: true },
];
const MOMENTS = [
  { frame: 5, first: 5, last: 5, joint: "head", reason: "jump", severity: 3 },
  { frame: 9, first: 8, last: 9, joint: null, reason: "drift", severity: 2 },
];
const DIAGNOSIS = {
  type: "diagnosis",
  generation: GENERATION,
  models: ["first", "second"],
  lanes: LANES,
  missing: [],
  dropped: false,
  reasons: ["jump", "flip", "drift"],
  moments: MOMENTS,
};
const diagnosis = (changes = {}) =>
  message({ ...DIAGNOSIS, ...changes }, [
    [["lanes", 0, "values", 0], Float32Array.of(1)],
    [["lanes", 0, "values", 1], Float32Array.of(2)],
    [["lanes", 1, "values", 0], Float32Array.of(3)],
    [["lanes", 2, "values", 1], Float32Array.of(4)],
  ]);

/** @import { CursorState } from "../../widgets/core/cursor.js" */
/** @import { PlainModel, PlainStore } from "./plain_widget.js" */

/** The page of the view: what was said, and what was copied; the browser allows only the first copy. */
class Page {
  said = /** @type {string[]} */ ([]);
  copied = /** @type {string[]} */ ([]);

  say(/** @type {string} */ text) {
    this.said.push(text);
  }

  async copy(/** @type {string} */ text) {
    this.copied.push(text);
    return this.copied.length === 1;
  }
}

/** @type {PlainModel} */
let model;
/** @type {CursorState} */
let cursor;
/** @type {PlainStore} */
let store;
/** @type {Page} */
let page;
/** @type {DebuggerState} */
let state;

beforeEach(() => {
  model = plainModel();
  cursor = plainCursor({ joint: "left_wrist", n_frames: 60 });
  store = plainStore({ generation: GENERATION, n_frames: 60 });
  page = new Page();
  state = new DebuggerState(model, store, cursor, new AbortController().signal, page);
});

describe("a diagnosis", () => {
  test("brings the curves of both traces in their places", () => {
    model.tell(...diagnosis());
    const values = state.data?.lanes.map((lane) => lane.values.map((curve) => curve && [...curve]));
    expect(values).toEqual([
      [[1], [2]],
      [[3], null],
      [null, [4]],
    ]);
    expect(state.isPair).toBe(true);
    expect(state.shownLanes.map((lane) => lane.key)).toEqual(["confidence", "speed"]);
  });

  test("of another trace is dropped", () => {
    model.tell(...diagnosis({ generation: 6 }));
    expect(state.data).toBeNull();
  });

  test("offers the reasons that there are moments for, and forgets a filter that finds none", () => {
    state.change({ reason: "flip" });
    model.tell(...diagnosis());
    expect(state.reasons).toEqual(["jump", "drift"]);
    expect(state.choice.reason).toBe("");
  });

  test("is asked for again with another trace; the lanes that were chosen stay", () => {
    model.tell(...diagnosis());
    state.toggle("speed", false);
    state.toggle("border", true);
    state.diagnose({ ...state.header, generation: 8 });
    expect(state.data).toBeNull();
    expect(model.sent).toEqual([{ type: "diagnose", generation: 8 }]);
    model.tell(...diagnosis());
    expect(state.shownLanes.map((lane) => lane.key)).toEqual(["confidence", "border"]);
  });
});

describe("the list", () => {
  beforeEach(() => model.tell(...diagnosis()));

  test("follows the filters, and changes its key with them", () => {
    const keys = new Set([state.listKey]);
    state.list();
    expect([state.rows, state.found]).toEqual([MOMENTS, 2]);
    state.change({ mine: true });
    keys.add(state.listKey);
    state.list();
    expect(state.rows).toEqual([MOMENTS[1]]);
    cursor.set("joint", "head");
    keys.add(state.listKey);
    state.list();
    expect(state.rows).toEqual(MOMENTS);
    expect(keys.size).toBe(3);
  });

  test("shows the first 60 and counts all", () => {
    model.tell(...diagnosis({ moments: Array.from({ length: 70 }, () => MOMENTS[0]) }));
    state.list();
    expect([state.rows.length, state.found]).toEqual([60, 70]);
  });

  test("its key stays while another joint is selected that it is not filtered by", () => {
    const before = state.listKey;
    cursor.set("joint", "head");
    expect(state.listKey).toBe(before);
  });
});

describe("figures", () => {
  const answer = (/** @type {string} */ key) => ({
    type: "statistics",
    key,
    first: 0,
    last: 59,
    joint: null,
    columns: [],
    rows: [],
  });

  test("are asked for once, and again when the range or the joint is another", () => {
    state.wantFigures();
    state.wantFigures();
    expect(model.sent).toEqual([
      { type: "statistics", first: 0, last: 59, joint: "left_wrist", key: "7,0,59,left_wrist" },
    ]);
    model.tell(answer("7,0,59,left_wrist"));
    state.wantFigures();
    expect(model.sent).toHaveLength(1);
    cursor.set("range", [3, 9]);
    state.wantFigures();
    expect(model.sent[1]).toMatchObject({ first: 3, last: 9, key: "7,3,9,left_wrist" });
    state.change({ scope: "worst" });
    model.tell(answer("7,3,9,left_wrist")); // by now those of all joints are wanted
    expect(state.figures?.key).toBe("7,0,59,left_wrist");
    state.wantFigures();
    expect(model.sent[2]).toMatchObject({ joint: null, key: "7,3,9," });
  });

  test("without a kernel the page says so", () => {
    model.isGone = true;
    state.wantFigures();
    expect(page.said).toEqual(["the kernel does not answer"]);
    expect(state.asked).toBeNull();
  });
});

describe("taken away", () => {
  test("a file has the filters of the list", () => {
    state.change({ reason: "jump", mine: true });
    askFile(state, "json");
    expect(model.sent).toEqual([{ type: "export", format: "json", joint: "left_wrist", reason: "jump" }]);
    expect(page.said).toEqual(["asking the kernel …"]);
  });

  test("code has the cursor and the filters", async () => {
    cursor.set("range", [3, 9]);
    state.change({ scope: "mean" });
    askCode(state);
    expect(model.sent[0].state).toEqual({
      frame: 0,
      joint: "left_wrist",
      range: [3, 9],
      list_joint: null,
      figures_joint: null,
      reason: "",
    });
    await state.receive({ type: "code", text: "one" }, []);
    await state.receive({ type: "code", text: "two" }, []);
    expect(page.copied).toEqual(["one", "two"]);
    expect(page.said).toEqual(["copied", "press Ctrl-C to copy"]);
  });
});
