// Files and folders that are dropped on the page, or chosen.

const IMAGES = /\.(bmp|jpe?g|jpe|png|tiff?|webp)$/i; // as in dkd/video/endings.py

/** @typedef {{ name: string, files: File[] }} Folder the images of a folder */

/** @param {File[]} files */
const imagesOf = (files) => files.filter(({ name }) => IMAGES.test(name) && !name.startsWith("."));

/**
 * The images of a folder that was chosen: those that lie in it, not in its subfolders, which a clip ignores, too.
 * @param {File[]} files all files below the folder
 * @returns {Folder}
 */
export function chosenFolder(files) {
  const parts = (/** @type {File} */ file) => file.webkitRelativePath.split("/");
  return {
    name: files.length ? parts(files[0])[0] : "",
    files: imagesOf(files.filter((one) => parts(one).length === 2)),
  };
}

/**
 * The images of a folder that was dropped.
 * @param {FileSystemDirectoryEntry} entry
 * @returns {Promise<Folder>}
 */
export async function droppedFolder(entry) {
  const reader = entry.createReader();
  /** @type {FileSystemEntry[]} */
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // a browser gives 100 at a time
    if (!some.length) break;
    found.push(...some);
  }
  const files = found.filter((one) => one.isFile && IMAGES.test(one.name));
  const read = (/** @type {FileSystemEntry} */ one) =>
    new Promise((/** @type {(file: File) => void} */ done, failed) =>
      /** @type {FileSystemFileEntry} */ (one).file(done, failed),
    );
  return { name: entry.name, files: imagesOf(await Promise.all(files.map(read))) };
}

/**
 * @typedef {{ file: (file: File) => void, folder: (folder: Folder) => void, fail: (text: string) => void }} Takers what
 *   to do with what was dropped
 */

/**
 * @param {DataTransfer | null} data
 * @param {Takers} take
 */
async function takeDropped(data, take) {
  const files = [...(data?.files ?? [])];
  const entries = [...(data?.items ?? [])].map((item) => item.webkitGetAsEntry?.() ?? null);
  const folder = entries.find((entry) => entry?.isDirectory);
  if (files.length > 1) {
    if (!folder && imagesOf(files).length === files.length) take.folder({ name: "images", files });
    else take.fail("Drop one video, one folder of images, or several images at once.");
  } else if (folder) {
    try {
      take.folder(await droppedFolder(/** @type {FileSystemDirectoryEntry} */ (folder)));
    } catch {
      take.fail(`The browser cannot read the folder ${folder.name}. Give its path instead.`);
    }
  } else if (files.length) take.file(files[0]);
}

/**
 * Takes what is dropped anywhere on an element.
 * @param {HTMLElement} target
 * @param {Takers} take
 */
export function listenForDrops(target, take) {
  let depth = 0; // dragenter and dragleave come for every child, too
  const mark = (/** @type {number} */ by) => {
    depth = Math.max(0, depth + by);
    target.classList.toggle("dkd-dropping", depth > 0);
  };
  const isFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  /** @type {(name: "dragenter" | "dragover" | "dragleave" | "drop", action: (event: DragEvent) => void) => void} */
  const on = (name, action) =>
    target.addEventListener(name, (event) => {
      if (!isFile(event)) return;
      event.preventDefault(); // otherwise the browser leaves the page for the file, and JupyterLab uploads it
      event.stopPropagation();
      action(event);
    });
  on("dragenter", () => mark(1));
  on("dragover", () => {});
  on("dragleave", () => mark(-1));
  on("drop", (event) => {
    mark(-depth);
    void takeDropped(event.dataTransfer, take);
  });
}
