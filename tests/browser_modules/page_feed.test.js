// What answers in a page from a file, in the place of the kernel.

import { expect, test } from "vitest";
import { CursorState } from "../../widgets/core/cursor.js";
import { Blocks, readBlock } from "../../widgets/page/blocks.js";
import { Film } from "../../widgets/page/film.js";
import { PageModel } from "../../widgets/page/model.js";
import { PageFeed } from "../../widgets/page/page_feed.js";

/** @typedef {import("../../widgets/page/contents.d.ts").Contents} Contents */

/**
 * A block as packing.py writes it.
 * @param {object} content
 * @param {Uint8Array<ArrayBuffer>[]} buffers
 */
async function packed(content, buffers = []) {
  const text = new TextEncoder().encode(JSON.stringify(content));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const stream = new Blob([length, text, ...buffers]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {number} frame @param {number} value */
const record = (frame, value) => ({
  records: [{ frame, previous: frame - 1, kernel_scale: 0.5 }],
  parts: [[["records", 0, "kernels"], "int8", [2]]],
  value,
});

async function example() {
  const bytes = (/** @type {number[]} */ ...values) => new Uint8Array(new Int8Array(values).buffer);
  const blocks = [
    await packed({ type: "header", n_frames: 3, unmatched: [0], parts: [] }),
    await packed(record(0, 0), [bytes(2, -4)]),
    await packed(record(1, 0), [bytes(6, 8)]),
    await packed(record(2, 0), [bytes(1, 1)]),
    await packed({ pictures: [null], parts: [[["pictures", 0], "bytes", [2]]] }, [bytes(7, 9)]),
    await packed(
      {
        frame: 1,
        parts: [
          [["projected"], "int8", [1, 2, 2]],
          [["scales"], "float32", [2]],
        ],
      },
      [bytes(1, 2, 3, -4), new Uint8Array(new Float32Array([10, 0.5]).buffer)],
    ),
  ];
  const person = { name: "a", header: 0, records: [1, 2, 3], details: { 1: 5 }, facts: [] };
  const contents = /** @type {Contents} */ (
    /** @type {unknown} */ ({
      chunk: 1,
      shown: {},
      people: [person, { ...person, name: "b" }],
      pictures: { type: "image/webp", chunks: [4, 4, 4] },
    })
  );
  const feed = new PageFeed(contents, new Blocks((id) => blocks[id]));
  const next = () =>
    new Promise((done) => {
      const hear = (/** @type {object} */ message) => {
        feed.off("msg:custom", hear);
        done(message);
      };
      feed.on("msg:custom", hear);
    });
  return { feed, next };
}

test("a block is a message with its arrays in their places, also at odd offsets", async () => {
  const parts = [
    [["a"], "uint8", [3]],
    [["b", "c"], "float32", [2]],
  ];
  const floats = new Uint8Array(new Float32Array([1.5, -2]).buffer);
  const block = await packed({ name: "ä", b: {}, parts }, [new Uint8Array([1, 2, 3]), floats]);
  const { name, a, b } = await readBlock(block);
  expect([name, [...a], [...b.c]]).toEqual(["ä", [1, 2, 3], [1.5, -2]]);
});

test("maps and kernels are differences from the frame before, modulo 256", async () => {
  const parts = ["maps", "kernels"].flatMap((name) =>
    [0, 1, 2].map((i) => [["records", i, name], name === "maps" ? "uint8" : "int8", i || name === "maps" ? [2] : [0]]),
  );
  const bytes = [[250, 3], [10, 255], [1, 1], [], [100, -100], [100, 0]].map((values) => new Uint8Array(values));
  const { records } = await readBlock(await packed({ records: [{}, {}, {}], parts }, bytes));
  const all = (/** @type {string} */ name) =>
    records.map((/** @type {Record<string, ArrayLike<number>>} */ one) => Array.from(one[name]));
  expect(all("maps")).toEqual([
    [250, 3],
    [4, 2],
    [5, 3],
  ]);
  expect(all("kernels")).toEqual([[], [100, -100], [-56, -100]]);
});

test("the page answers as the kernel does", async () => {
  const { feed, next } = await example();
  feed.send({ type: "hello" });
  const header = await next();
  expect([header.type, header.generation, [...header.unexplained]]).toEqual(["header", 0, [2]]);
  feed.send({ type: "records", generation: 0, frames: [2, 1] });
  const { records } = await next();
  expect(records.map((/** @type {{ frame: number }} */ one) => one.frame)).toEqual([2, 1]);
  expect([[...records[1].kernels], [...records[1].jpeg], records[1].picture_type]).toEqual([
    [6, 8],
    [7, 9],
    "image/webp",
  ]);
  feed.send({ type: "detail", generation: 0, frame: 1 });
  const detail = await next();
  expect([...detail.projected]).toEqual([10, 30, 1, -2]); // channel by channel
  expect([[...detail.kernels], detail.previous]).toEqual([[3, 4], 0]);
});

test("another person is another generation, and what is damaged is said", async () => {
  const { feed, next } = await example();
  feed.show(1);
  expect((await next()).generation).toBe(1);
  expect(await feed.answer({ type: "records", generation: 0, frames: [1] })).toBe(null);
  feed.send({ type: "detail", generation: 1, frame: 2 }); // there is no such block
  const answer = await next();
  expect([answer.type, answer.asked]).toEqual(["error", "detail"]);
  expect(answer.message).toContain("The file is damaged");
});

test("a browser without a decoder says so", async () => {
  const block = await packed({ pictures: [null], parts: [[["pictures", 0], "bytes", [2]]] }, [new Uint8Array([7, 9])]);
  const film = new Film({ chunk: 8, pictures: { type: "vp09.00.31.08", chunks: [0] } }, new Blocks(() => block));
  await expect(film.picture(3)).rejects.toThrow("this browser cannot decode the page's film");
});

test("a model of a page keeps values, and its cursor moves without a kernel", () => {
  const model = new PageModel({ frame: 0, n_frames: 9, joint: "a", playing: false, range: null });
  const cursor = new CursorState(model);
  /** @type {string[]} */
  const heard = [];
  cursor.on((name) => heard.push(name));
  cursor.set("joint", "b");
  expect([model.get("joint"), cursor.get("joint"), heard]).toEqual(["b", "b", ["joint"]]);
  model.set("joint", "c");
  model.set("joint", "c");
  expect(heard).toEqual(["joint", "joint"]);
});
