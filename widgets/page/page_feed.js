// Answers what the store asks, from the page: in the place of the kernel's feed, with the same messages.

import { Film } from "./film.js";
import { PageModel } from "./model.js";

/** @import { FrameRecord, Message } from "../core/types.d.ts" */
/** @import { Blocks } from "./blocks.js" */
/** @import { Contents, Pictures } from "./contents.d.ts" */

export class PageFeed extends PageModel {
  /**
   * @param {Contents} contents
   * @param {Blocks} blocks
   * @param {number} index of the run that is shown first
   */
  constructor(contents, blocks, index = 0) {
    super({ _waiting: "reading the page …" });
    this.contents = contents;
    this.blocks = blocks;
    this.generation = 0;
    /** @type {Map<Pictures, Film>} */
    this.films = new Map();
    this.shown = contents.people[index];
  }

  /** The pictures of what is shown: most runs of a page are of one clip, and share them. */
  get pictures() {
    return this.shown.pictures ?? this.contents.pictures;
  }

  /** The film of what is shown; null where its pictures are stills. */
  get film() {
    const { pictures } = this;
    if (pictures.type.startsWith("image/")) return null;
    const film = this.films.get(pictures) ?? new Film({ pictures, chunk: this.contents.chunk }, this.blocks);
    this.films.set(pictures, film);
    return film;
  }

  /**
   * Show another run; the store drops what it has of the one before.
   * @param {number} index
   * @returns {Promise<void>} once the store knows it
   */
  show(index) {
    this.shown = this.contents.people[index];
    this.generation += 1;
    return this.send({ type: "hello" });
  }

  /**
   * @param {Message} content
   * @returns {Promise<void>} once it is answered
   */
  send(content) {
    const answer = this.answer(content).catch((error) => ({
      type: "error",
      asked: content.type,
      message: `The file is damaged: ${error.message}. Ask for it again.`,
    }));
    return answer.then((message) => {
      if (message) this.emit("msg:custom", message, []);
    });
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
    const { chunk } = this.contents;
    const [number, place] = [Math.floor(frame / chunk), frame % chunk];
    const { film, pictures } = this;
    const [{ records }, shown] = await Promise.all([
      this.blocks.message(this.shown.records[number]),
      this.blocks.message(pictures.chunks[number]),
    ]);
    const record = { ...records[place], jpeg: shown.pictures[place], picture_type: pictures.type };
    return film ? { ...record, picture: () => film.picture(frame) } : record;
  }

  /**
   * The input of the matching step, as far as the page has it: features are rounded to 6 bits and kernels to 8, except
   * where a view shows the numbers themselves.
   * @param {number} frame
   * @returns {Promise<Message>}
   */
  async detail(frame) {
    const [stored, record] = await Promise.all([this.blocks.message(this.shown.details[frame]), this.record(frame)]);
    const { projected, scales } = stored;
    if (!scales) return stored; // in float32
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
