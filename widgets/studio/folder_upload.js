// Upload of the images of a folder: a few files at a time, which become a folder on the kernel's machine together.

import { Upload } from "./upload.js";

/** @import { Message } from "../core/types.d.ts" */
/** @import { Folder } from "./drops.js" */
/** @import { Progress } from "./upload.js" */

const AT_ONCE = 4; // a small file takes two messages there and back, most of which is waiting

/** @typedef {Progress & { done: number, of: number }} FolderProgress with the number of files */

/** The images of one folder on their way to the kernel. */
export class FolderUpload {
  /**
   * @param {Folder} folder
   * @param {(content: object, buffers?: ArrayBuffer[]) => void} send
   * @param {(progress: FolderProgress) => void} tell
   */
  constructor({ name, files }, send, tell) {
    this.files = files;
    this.sendMessage = send;
    this.tell = tell;
    this.size = files.reduce((sum, file) => sum + file.size, 0);
    const newest = files.reduce((latest, file) => Math.max(latest, file.lastModified), 0);
    this.about = { batch: `${name}/${files.length}/${this.size}/${newest}`, folder: name, files: files.length };
    this.next = 0; // the file that is sent next
    this.done = 0;
    this.sent = 0; // bytes of the files that are done
    this.path = ""; // of the folder, once all files are there
    this.isOver = false;
    /** @type {Map<Upload, number>} */
    this.current = new Map(); // with the bytes that arrived
  }

  start() {
    while (this.current.size < AT_ONCE && this.next < this.files.length) this.begin(this.files[this.next++]);
  }

  cancel() {
    const [upload] = this.current.keys();
    if (!this.isOver) upload?.send({ do: "cancel", batch: this.about.batch });
  }

  /** @param {File} file */
  begin(file) {
    const upload = new Upload(file, this.sendMessage, (now) => this.follow(upload, now), this.about);
    this.current.set(upload, 0);
    upload.start();
  }

  /** @param {Message} answer */
  async receive(answer) {
    if (this.isOver) return;
    if (answer.folder) this.path = answer.folder;
    await Promise.all([...this.current.keys()].map((upload) => upload.receive(answer)));
  }

  /**
   * @param {Upload} upload
   * @param {Progress} now
   */
  follow(upload, now) {
    if (this.isOver) return;
    if (now.state === "sending") this.current.set(upload, now.offset);
    else if (now.state === "done") {
      this.current.delete(upload);
      this.done += 1;
      this.sent += upload.file.size;
      this.start();
    }
    const isAll = this.done === this.files.length;
    const state = now.state === "done" && !isAll ? "sending" : now.state;
    this.isOver = state !== "sending";
    const offset = [...this.current.values()].reduce((sum, bytes) => sum + bytes, this.sent);
    this.tell({ ...now, state, offset, size: this.size, path: this.path, done: this.done, of: this.files.length });
  }
}
