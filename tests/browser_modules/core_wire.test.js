// Messages: every buffer gets back to its place, and what does not fit is said.

import { expect, test } from "vitest";
import tables from "../../widgets/core/tables.json";
import { readMessage, TYPES, unpack } from "../../widgets/core/wire.js";

/** @import { Message, Numbers } from "../../widgets/core/types.d.ts" */

const bufferOf = (/** @type {Numbers} */ values) => new DataView(values.buffer);

test("parts get back to their places, at any depth", () => {
  const values = Float32Array.from([1, 2, 3, 4, 5, 6]);
  /** @type {Message} */
  const content = {
    type: "x",
    rows: [{ n: 1 }, { n: 2 }],
    parts: [
      [["rows", 1, "values"], "float32", [2, 3]],
      [["rows", 0, "jpeg"], "bytes", [3]],
      [["none"], "int8", [0, 2]],
    ],
  };
  const read = readMessage(content, [
    bufferOf(values),
    bufferOf(new Uint8Array([7, 8, 9])),
    bufferOf(new Int8Array(0)),
  ]);
  expect(read.rows).toEqual([
    { n: 1, jpeg: new Uint8Array([7, 8, 9]) },
    { n: 2, values },
  ]);
  expect(read.none).toEqual(new Int8Array(0));
  expect(read.parts).toBe(undefined);
});

test("a buffer may lie anywhere in the message, and is copied out of it", () => {
  const whole = new Uint8Array(21);
  whole.set(new Uint8Array(Float32Array.from([0.5, -2]).buffer), 5); // not aligned to 4 bytes
  const out = unpack(new DataView(whole.buffer, 5, 8), Float32Array);
  expect(out).toEqual(Float32Array.from([0.5, -2]));
  whole.fill(0);
  expect(out[0]).toBe(0.5);
  expect(out.buffer.byteLength).toBe(8);
});

test("a message that does not fit its parts is an error", () => {
  /** @type {Message} */
  const content = { parts: [[["a"], "float32", [3]]] };
  expect(() => readMessage({ ...content }, [bufferOf(new Float32Array(2))])).toThrow("expected 3 values of a, got 2");
  expect(() => readMessage({ ...content }, [])).toThrow("expected 1 buffers, got 0");
});

test("there is a type for every dtype that Python may send", () => {
  for (const name of [...tables.dtypes, "bytes"]) expect(TYPES[name]).toBeTypeOf("function");
});
