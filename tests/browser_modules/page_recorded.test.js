// Views of a page besides the workbench: which recorded answer belongs to which request.

import { expect, test } from "vitest";
import { Recorded } from "../../widgets/page/recorded.js";
import { playTogether } from "../../widgets/page/together.js";

/** @typedef {import("../../widgets/core/cursor.js").CursorState} CursorState */
/** @typedef {import("../../widgets/core/store.js").Store} Store */
/** @typedef {import("../../widgets/page/blocks.js").Blocks} Blocks */

const view = {
  module: "",
  traits: { kernel: "whole" },
  keys: { matrix: ["joint", "centred"] },
  lists: /** @type {Record<string, [string, string[]]>} */ ({ pictures: ["images", ["s", "t"]] }),
  note: "",
  exact: false,
  answers: { "matrix//false": 0, "matrix/head/true": 1, "pictures/s/3": 2, "pictures/t/3": 3, "pictures/t/4": 4 },
};
const type = "matrix";
const stored = [{ type, values: [1] }, { type, values: [2] }, { item: "s3" }, { item: "t3" }, { item: "t4" }];

function example() {
  const blocks = /** @type {Blocks} */ (
    /** @type {unknown} */ ({ message: async (/** @type {number} */ i) => stored[i] })
  );
  return new Recorded(view, blocks, {});
}

test("a request is answered by the values that its type differs by", async () => {
  const model = example();
  expect(await model.answer({ type: "matrix", joint: "", centred: false })).toEqual({ type, values: [1] });
  expect(await model.answer({ type: "matrix", joint: "head", centred: true, other: 5 })).toEqual({ type, values: [2] });
  expect(await model.answer({ type: "matrix", joint: "head", centred: false })).toBe(null);
  expect(await model.answer({ type: "export" })).toBe(null);
});

test("a list is made of the answers for each of its values", async () => {
  const model = example();
  expect(await model.answer({ type: "pictures", s: 3, t: 4 })).toEqual({ type: "pictures", images: ["s3", "t4"] });
  expect(await model.answer({ type: "pictures", s: 4, t: 4 })).toBe(null);
});

test("an answer says what was asked", async () => {
  const model = example();
  const heard = new Promise((done) => model.on("msg:custom", done));
  model.send({ type: "matrix", joint: "head", centred: true, generation: 2 });
  expect(await heard).toEqual({ type: "matrix", joint: "head", centred: true, generation: 2, values: [2] });
});

test("two runs play together: a frame is ready where both have it, and both are painted", () => {
  /** @type {string[]} */
  const painted = [];
  const store = (/** @type {string} */ name, /** @type {number[]} */ ready) =>
    /** @type {Store} */ (
      /** @type {unknown} */ ({
        header: { times: [0, 1] },
        decode: (/** @type {number} */ frame) => !ready.includes(frame),
        paint: () => painted.push(name),
      })
    );
  const cursor = /** @type {CursorState} */ (/** @type {unknown} */ ({ clock: null }));
  playTogether(cursor, [store("a", [0, 1]), /** @type {Store} */ (/** @type {unknown} */ ({ header: null }))]);
  expect(cursor.clock).toBe(null);
  playTogether(cursor, [store("a", [0, 1]), store("b", [0])]);
  expect([0, 1].map((frame) => cursor.clock?.ready(frame))).toEqual([true, false]);
  cursor.clock?.paint();
  expect(painted).toEqual(["a", "b"]);
});
