// Answers what the store asks, from the page: in the place of the kernel's feed, with the same messages.

import { Film } from "./film.js";
import { PageModel } from "./model.js";

/** @import { FrameRecord, Message } from "../core/types.d.ts" */
/** @import { Blocks } from "./blocks.js" */
/** @import { Contents } from "./contents.d.ts" */

export class PageFeed extends PageModel {
  /**
   * @param {Contents} contents
   * @param {Blocks} blocks
   */
  constructor(contents, blocks) {
    super({ _waiting: "reading the page …" });
    this.contents = contents;
    this.blocks = blocks;
    this.film = contents.pictures.type.startsWith("image/") ? null : new Film(contents, blocks);
    this.shown = contents.people[contents.shown.person ?? 0];
    this.generation = 0;
  }

  /**
   * Show another person; the store drops what it has of the one before.
   * @param {number} index
   */
  show(index) {
    this.shown = this.contents.people[index];
    this.generation += 1;
    this.send({ type: "hello" });
  }

  /** @param {Message} content */
  send(content) {
    const answer = this.answer(content).catch((error) => ({
      type: "error",
      asked: content.type,
      message: `The file is damaged: ${error.message}. Ask for it again.`,
    }));
    void answer.then((message) => message && this.emit("msg:custom", message, []));
  }

  /**
   * @param {Message} content
   * @returns {Promise<Message | null>}
   */
  async answer({ type, generation, frames, frame }) {
    if (type === "hello") return this.header();
    if (generation !== this.generation) return null;
    if (type === "records") return { type, generation, records: await Promise.all(frames.map(this.record, this)) };
    return { ...(await this.detail(frame)), type, generation };
  }

  async header() {
    const { generation, shown } = this;
    const message = await this.blocks.message(shown.header);
    const has = new Set(Object.keys(shown.details).map(Number));
    const isMatched = new Set(message.unmatched);
    const all = Array.from({ length: message.n_frames }, (_, t) => t);
    const unexplained = new Set(all.filter((t) => !has.has(t) && !isMatched.has(t)));
    return { ...message, generation, unexplained };
  }

  /**
   * @param {number} frame
   * @returns {Promise<Message>}
   */
  async record(frame) {
    const { chunk, pictures } = this.contents;
    const [number, place] = [Math.floor(frame / chunk), frame % chunk];
    const { film } = this;
    const [{ records }, shown] = await Promise.all([
      this.blocks.message(this.shown.records[number]),
      this.blocks.message(pictures.chunks[number]),
    ]);
    const record = { ...records[place], jpeg: shown.pictures[place], picture_type: pictures.type };
    return film ? { ...record, picture: () => film.picture(frame) } : record;
  }

  /**
   * The input of the matching step, as far as the page has it: features are rounded to 6 bits, kernels to 8.
   * @param {number} frame
   */
  async detail(frame) {
    const [{ projected, scales }, record] = await Promise.all([
      this.blocks.message(this.shown.details[frame]),
      this.record(frame),
    ]);
    const { kernels, kernel_scale: scale, previous } = /** @type {FrameRecord} */ (/** @type {unknown} */ (record));
    const count = scales.length;
    const area = projected.length / count;
    const cells = new Float32Array(projected.length); // channel by channel, which are stored cell by cell
    for (let i = 0; i < projected.length; i++)
      cells[(i % count) * area + Math.floor(i / count)] = projected[i] * scales[i % count];
    return {
      frame,
      previous,
      projected: cells,
      kernels: Float32Array.from(kernels, (value) => value * scale),
    };
  }
}
