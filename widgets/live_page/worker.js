// What runs beside the page, in a worker: it keeps the frames, tracks them one after the other, and answers what the
// page asks. It has no address to load anything from: all that it needs comes in messages.

import { Network } from "./network.js";
import { noChanges, Tracker } from "./tracker.js";

/** @import { Changes, FromWorker, ToWorker } from "./types.d.ts" */

const QUALITY = 0.92; // of the frames of a video or a webcam
const TYPE = "image/jpeg"; // WebP would be half as large, but takes ten times as long

/** Let messages in. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
}

class Bench {
  /**
   * @param {any} ort
   * @param {(message: FromWorker) => void} send
   */
  constructor(ort, send) {
    this.ort = ort;
    this.send = send;
    /** @type {Tracker | null} */
    this.tracker = null;
    /** @type {{ blob: Blob, time: number }[]} */
    this.frames = [];
    /** @type {{ frame: number, asked: number }[]} */
    this.questions = [];
    this.generation = 0;
    this.isReady = false;
    this.working = false;
    this.canvas = new OffscreenCanvas(1, 1);
    this.keeping = Promise.resolve(); // pictures are encoded one after the other, so that they stay in order
    this.source = 0;
    this.changes = noChanges(); // which may come before the network is there
  }

  /** @param {ToWorker} message */
  async receive(message) {
    if (message.type === "begin") await this.begin(message);
    if (message.type === "clear") {
      this.frames = [];
      this.questions = [];
      this.source += 1;
      this.restart(message.generation, 0);
      this.change(noChanges());
      [this.canvas.width, this.canvas.height] = message.size;
    }
    if (message.type === "frames") this.frames.push(...message.frames);
    if (message.type === "picture") {
      const { source } = this;
      this.keeping = this.keeping.then(() => this.keep(message.bitmap, message.time, source));
      await this.keeping;
    }
    if (message.type === "change") {
      this.restart(message.generation, message.from);
      this.change(message.changes);
    }
    if (message.type === "explain") this.questions.push(message);
    await this.work();
  }

  /** @param {Extract<ToWorker, { type: "begin" }>} message */
  async begin({ facts, provider, wasm, graphs }) {
    const network = new Network(this.ort, facts, provider);
    this.tracker = new Tracker(network); // what is asked of it waits until the network is there
    this.change(this.changes);
    try {
      network.begin(wasm);
      for (const [i, [name, graph]] of graphs.entries()) {
        await network.open(name, graph);
        this.send({ type: "opened", done: i + 1, of: graphs.length });
      }
      await network.check(graphs);
    } catch (error) {
      this.send({ type: "unable", message: String(/** @type {Error} */ (error)?.message ?? error) });
      return;
    }
    this.isReady = true;
  }

  /** @param {Changes} changes */
  change(changes) {
    this.changes = changes;
    if (this.tracker) this.tracker.changes = changes;
  }

  /**
   * Track again from a frame on.
   * @param {number} generation
   * @param {number} from
   */
  restart(generation, from) {
    this.generation = generation;
    if (this.tracker) this.tracker.steps = this.tracker.steps.slice(0, from);
  }

  /** @param {ImageBitmap} bitmap @param {number} time @param {number} source */
  async keep(bitmap, time, source) {
    const canvas = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await canvas.convertToBlob({ type: TYPE, quality: QUALITY });
    if (source !== this.source) return; // of a video that was replaced meanwhile
    this.frames.push({ blob, time });
    this.send({ type: "kept", blob, time });
  }

  /** @param {number} frame */
  async picture(frame) {
    const bitmap = await createImageBitmap(this.frames[frame].blob);
    const options = { willReadFrequently: true };
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.canvas.getContext("2d", options));
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return context.getImageData(0, 0, this.canvas.width, this.canvas.height);
  }

  async work() {
    if (this.working) return;
    this.working = true;
    try {
      while (await this.next()) await breathe();
    } finally {
      this.working = false;
    }
  }

  /** Answer a question, or track a frame; whether there was anything to do. */
  async next() {
    const { tracker, generation } = this;
    if (!tracker || !this.isReady) return false;
    const question = this.questions.shift();
    if (question) {
      if (!tracker.steps[question.frame]) return true; // it is being tracked again: the page asks again, too
      const projected = await tracker.explain(await this.picture(question.frame), question.frame);
      this.send({ type: "explained", asked: question.asked, projected });
      return true;
    }
    const frame = tracker.steps.length;
    if (frame >= this.frames.length) return false;
    const step = await tracker.step(await this.picture(frame), this.frames[frame].time);
    if (generation !== this.generation) return true; // something was changed meanwhile
    tracker.steps.push(step);
    this.send({ type: "step", generation, step });
    return true;
  }
}

/**
 * What a worker's global object has, which the types of a page do not know.
 * @typedef {{ postMessage: (message: FromWorker) => void, onmessage: (event: MessageEvent<ToWorker>) => void }} Scope
 */

/** @param {any} ort the module of ONNX Runtime Web */
export default function serve(ort) {
  const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
  const bench = new Bench(ort, (message) => scope.postMessage(message));
  scope.onmessage = ({ data }) => {
    bench.receive(data).catch((error) => bench.send({ type: "failed", message: String(error?.message ?? error) }));
  };
}
