// Uploads in chunks, since a message above 10 MiB is lost without an error; see uploads.py for the messages.

/** @import { Message } from "../core/types.d.ts" */

const CHUNK = 1 << 20; // bytes; Python may ask for smaller ones

/**
 * What a file must offer; a recording is one, too.
 * @typedef {{ name: string, size: number, lastModified: number,
 *   slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> } }} Source
 */
/** @typedef {{ state: "sending" | "done" | "cancelled" | "error", offset: number, size: number, text?: string,
 *   path?: string }} Progress */

let count = 0;

/** One file on its way to the kernel: what is there already is not sent again. */
export class Upload {
  /**
   * @param {Source} file
   * @param {(content: object, buffers?: ArrayBuffer[]) => void} send
   * @param {(progress: Progress) => void} tell
   * @param {object} about more about the file: for one of a folder, see folder_upload.js
   */
  constructor(file, send, tell, about = {}) {
    this.file = file;
    this.about = about;
    this.sendMessage = send;
    this.tell = tell;
    this.id = `${Date.now()}-${count++}`;
    this.isOver = false;
    this.chunk = CHUNK;
  }

  start() {
    const { name, size, lastModified } = this.file;
    this.send({ do: "begin", name, size, modified: lastModified, ...this.about });
    this.say("sending", 0);
  }

  cancel() {
    if (!this.isOver) this.send({ do: "cancel" });
  }

  /**
   * @param {object} content
   * @param {ArrayBuffer[]} buffers
   */
  send(content, buffers = []) {
    this.sendMessage({ type: "upload", id: this.id, ...content }, buffers);
  }

  /**
   * @param {Progress["state"]} state
   * @param {number} offset
   * @param {object} more
   */
  say(state, offset, more = {}) {
    this.tell({ state, offset, size: this.file.size, ...more });
  }

  /**
   * An answer of the kernel: send the next chunk, or tell how it ended.
   * @param {Message} answer
   */
  async receive(answer) {
    if (answer.id !== this.id || this.isOver) return;
    if (answer.state === "ready" || answer.state === "received") {
      if (answer.chunk) this.chunk = Math.min(CHUNK, answer.chunk);
      this.say("sending", answer.offset);
      await this.next(answer.offset);
      return;
    }
    this.isOver = true;
    this.say(answer.state, answer.offset ?? 0, { text: answer.text, path: answer.path });
  }

  /** @param {number} offset */
  async next(offset) {
    try {
      const bytes = await this.file.slice(offset, offset + this.chunk).arrayBuffer();
      if (bytes.byteLength) this.send({ do: "chunk", offset }, [bytes]);
    } catch {
      this.isOver = true;
      this.say("error", offset, { text: `The browser cannot read ${this.file.name} any more. Choose it again.` });
    }
  }
}

/**
 * 1234567 → 1.2 MB
 * @param {number} bytes
 */
export function sizeText(bytes) {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
