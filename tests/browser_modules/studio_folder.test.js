// The images of a folder: which are taken, and how they are sent together.

import { expect, test } from "vitest";
import { chosenFolder, droppedFolder } from "../../widgets/studio/drops.js";
import { FolderUpload } from "../../widgets/studio/folder_upload.js";

/**
 * @param {string} path
 * @param {number} size
 */
const image = (path, size = 10) =>
  /** @type {File} */ (
    Object.assign(new Blob([new Uint8Array(size)]), {
      name: path.split("/").at(-1),
      webkitRelativePath: path,
      lastModified: 17,
    })
  );

test("of a chosen folder the images that lie in it are taken", () => {
  const names = ["a/2.png", "a/1.JPG", "a/notes.txt", "a/.hidden.png", "a/b/3.png", "a/c.tiff"];
  const { name, files } = chosenFolder(names.map((one) => image(one)));
  expect([name, files.map((file) => file.name)]).toEqual(["a", ["2.png", "1.JPG", "c.tiff"]]);
  expect(chosenFolder([])).toEqual({ name: "", files: [] });
});

test("of a dropped folder all images are read, although a browser lists a hundred at a time", async () => {
  const all = Array.from({ length: 250 }, (_, i) => image(`a/${i}.png`));
  const entry = (/** @type {File} */ file) => ({
    isFile: true, name: file.name, file: (/** @type {(file: File) => void} */ done) => done(file),
  }); // biome-ignore format: short
  const entries = [...all.map(entry), { isFile: false, name: "sub.png" }, entry(image("a/readme.md"))];
  const readEntries = (/** @type {(some: object[]) => void} */ done) => done(entries.splice(0, 100));
  const folder = /** @type {any} */ ({ name: "a", createReader: () => ({ readEntries }) });
  const { name, files } = await droppedFolder(folder);
  expect(name).toBe("a");
  expect(files).toEqual(all);
});

/** @param {number} count */
function begin(count) {
  /** @type {any[]} */
  const sent = [];
  /** @type {import("../../widgets/studio/folder_upload.js").FolderProgress[]} */
  const told = [];
  const files = Array.from({ length: count }, (_, i) => image(`a/${i}.png`, 10 + i));
  const upload = new FolderUpload(
    { name: "a", files },
    (content) => sent.push(content),
    (now) => told.push(now),
  );
  upload.start();
  return { files, sent, told, upload };
}

test("a few files are under way at a time, and the folder is there after the last", async () => {
  const { files, sent, told, upload } = begin(6);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const begun = () => sent.filter((one) => one.do === "begin");
  expect(begun()).toHaveLength(4);
  for (let k = 0; k < 6; k++) {
    const { id, batch, folder, files: of } = begun()[k];
    expect([folder, of, batch]).toEqual(["a", 6, begun()[0].batch]);
    await upload.receive(/** @type {any} */ ({ id, state: "ready", offset: 0, chunk: 1000 }));
    expect(sent.at(-1)).toMatchObject({ id, do: "chunk", offset: 0 });
    const more = k === 5 ? { folder: "uploads/a" } : {};
    await upload.receive(/** @type {any} */ ({ id, state: "done", offset: files[k].size, path: `x/${k}`, ...more }));
    expect(told.at(-1)).toMatchObject({ state: k < 5 ? "sending" : "done", done: k + 1, of: 6, size });
  }
  expect(begun()).toHaveLength(6);
  expect(told.at(-1)).toMatchObject({ offset: size, path: "uploads/a" });
  const offsets = told.map(({ offset }) => offset);
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
});

test("cancelling or an error ends all of it", async () => {
  for (const state of ["cancelled", "error"]) {
    const { sent, told, upload } = begin(6);
    if (state === "cancelled") {
      upload.cancel();
      expect(sent.at(-1)).toMatchObject({ do: "cancel", batch: sent[0].batch });
    }
    await upload.receive(/** @type {any} */ ({ id: sent[0].id, state, text: "no room" }));
    expect(told.at(-1)?.state).toBe(state);
    const count = [sent.length, told.length];
    await upload.receive(/** @type {any} */ ({ id: sent[1].id, state: "done", offset: 11 }));
    upload.cancel();
    expect([sent.length, told.length]).toEqual(count);
  }
});
