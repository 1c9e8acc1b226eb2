// An upload sends what is missing, one chunk after the other, and tells how it ended.

import { expect, test } from "vitest";
import { sizeText, Upload } from "../../widgets/studio/upload.js";

const MIB = 1 << 20;

/** @param {number} size */
function begin(size) {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  /** @type {{ content: any, bytes: Uint8Array | null }[]} */
  const sent = [];
  /** @type {import("../../widgets/studio/upload.js").Progress[]} */
  const told = [];
  const file = Object.assign(new Blob([bytes]), { name: "clip.mp4", lastModified: 17 });
  const upload = new Upload(
    file,
    (content, buffers) => sent.push({ content, bytes: buffers?.length ? new Uint8Array(buffers[0]) : null }),
    (now) => told.push(now),
  );
  upload.start();
  return {
    bytes,
    sent,
    told,
    upload,
    answer: (/** @type {object} */ more) => upload.receive({ id: upload.id, ...more }),
  };
}

test("all bytes arrive in order, in chunks that fit", async () => {
  const { bytes, sent, told, answer } = begin(2 * MIB + 100);
  expect(sent[0].content).toMatchObject({
    type: "upload",
    do: "begin",
    name: "clip.mp4",
    size: bytes.length,
    modified: 17,
  });
  await answer({ state: "ready", offset: 0, chunk: 4 * MIB });
  await answer({ state: "received", offset: MIB });
  await answer({ state: "received", offset: 2 * MIB });
  const chunks = sent.slice(1);
  expect(chunks.map(({ content }) => content.offset)).toEqual([0, MIB, 2 * MIB]);
  const arrived = await new Blob(chunks.map((chunk) => /** @type {BlobPart} */ (chunk.bytes))).bytes();
  expect(arrived.length).toBe(bytes.length);
  expect(arrived.every((byte, i) => byte === bytes[i])).toBe(true);
  await answer({ state: "done", offset: bytes.length, path: "uploads/clip.mp4" });
  expect(told.at(-1)).toMatchObject({ state: "done", path: "uploads/clip.mp4" });
});

test("what is there already is not sent again", async () => {
  const { sent, told, answer } = begin(3 * MIB);
  await answer({ state: "ready", offset: 2 * MIB + 5, chunk: MIB });
  expect(sent[1].content.offset).toBe(2 * MIB + 5);
  expect(sent[1].bytes?.length).toBe(MIB - 5);
  expect(told.at(-1)).toMatchObject({ state: "sending", offset: 2 * MIB + 5, size: 3 * MIB });
});

test("a smaller chunk is sent where the kernel wants one", async () => {
  const { sent, answer } = begin(MIB);
  await answer({ state: "ready", offset: 0, chunk: 1000 });
  expect(sent[1].bytes?.length).toBe(1000);
});

test("after the end nothing more is sent", async () => {
  for (const state of ["cancelled", "error"]) {
    const { sent, told, upload, answer } = begin(100);
    await answer({ state: "ready", offset: 0 });
    await answer({ state, text: "no room" });
    const count = sent.length;
    await answer({ state: "received", offset: 100 });
    upload.cancel();
    expect(sent.length).toBe(count);
    expect(told.at(-1)?.state).toBe(state);
  }
});

test("answers to another upload are ignored", async () => {
  const { sent, upload } = begin(100);
  await upload.receive({ id: "another", state: "ready", offset: 0 });
  expect(sent.length).toBe(1);
});

test("a file that the browser cannot read any more is an error", async () => {
  /** @type {string[]} */
  const told = [];
  const gone = {
    name: "clip.mp4",
    size: 9,
    lastModified: 0,
    slice: () => ({ arrayBuffer: () => Promise.reject(new Error()) }),
  };
  const upload = new Upload(
    gone,
    () => {},
    ({ state, text }) => told.push(`${state} ${text ?? ""}`),
  );
  upload.start();
  await upload.receive({ id: upload.id, state: "ready", offset: 0 });
  expect(told.at(-1)).toMatch(/^error .*clip\.mp4/);
});

test("sizes as people read them", () => {
  expect(sizeText(0)).toBe("0 kB");
  expect(sizeText(1500)).toBe("2 kB");
  expect(sizeText(1_234_567)).toBe("1.2 MB");
  expect(sizeText(2_500_000_000)).toBe("2.50 GB");
});
