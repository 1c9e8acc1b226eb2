// Answers what the store asks, from the run in this page: with the messages that a kernel would send.

import tables from "../core/tables.json" with { type: "json" };
import { PageModel } from "../page/model.js";
import { cover, coversOf } from "./covers.js";
import { worstFrames } from "./moments.js";
import { confidenceOf } from "./peaks.js";

/** @import { Message } from "../core/types.d.ts" */
/** @import { Run } from "./run.js" */
/** @import { Step } from "./types.d.ts" */

const PACE_MS = 120; // the views hear of new frames at most this often
const [LOW, HIGH] = tables.map_range;
const NOTHING = new Uint8Array(0);

export class LiveFeed extends PageModel {
  /**
   * @param {Run} run
   * @param {string} engine
   * @param {() => number} here the frame that the cursor is at
   * @param {(count: number) => void} grown called before the views hear of so many frames
   */
  constructor(run, engine, here, grown) {
    super({ _waiting: "the network is at work …" });
    this.run = run;
    this.engine = engine;
    this.here = here;
    this.grown = grown;
    this.sent = -1; // generation and number of frames that the views know
    this.known = 0;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    run.listeners.add(({ type }) => (type === "step" || type === "changed") && this.announceSoon());
  }

  announceSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.announce();
    }, PACE_MS);
  }

  /** Tell the views of the frames that are there; after a change, once the frame that they show is there again. */
  announce() {
    const { run } = this;
    const count = run.steps.length;
    const isNew = run.generation !== this.sent;
    if (!count || (isNew && count < run.frames.length && count <= this.here())) return;
    const keep = isNew ? run.from : this.known;
    if (!isNew && count === this.known) return;
    this.sent = run.generation;
    this.known = count;
    this.grown(count);
    this.emit("msg:custom", { ...this.header(), keep }, []);
  }

  /** @param {Message} content */
  send(content) {
    if (content.type === "hello") {
      this.sent = -1;
      this.announce();
      return;
    }
    if (content.generation !== this.sent || content.generation !== this.run.generation) return; // it is tracked again
    const { type, generation } = content;
    if (type === "records") {
      const records = content.frames.map((/** @type {number} */ frame) => this.record(frame));
      queueMicrotask(() => this.emit("msg:custom", { type, generation, records }, []));
    } else
      this.detail(content.frame).then(
        (found) => this.emit("msg:custom", { type, generation, ...found }, []),
        (error) => this.emit("msg:custom", { type: "error", asked: type, message: error.message }, []),
      );
  }

  header() {
    const { facts, steps, frames, size, name } = this.run;
    const times = Float64Array.from(steps, ({ frame }) => frames[frame].time - frames[0].time);
    const count = steps.length;
    const duration = times[count - 1] || 1;
    const fps = count > 1 ? (count - 1) / duration : 25;
    const all = (/** @type {(step: Step) => Iterable<number>} */ of) =>
      Float32Array.from(steps.flatMap((step) => [...of(step)]));
    const scores = all((step) => step.scores);
    const starts = steps.filter(({ isStart, frame }) => isStart && frame);
    const mean = (/** @type {Step} */ { scores: s }) => s.reduce((a, b) => a + b, 0) / s.length;
    return {
      type: "header",
      generation: this.sent,
      n_frames: count,
      first: 0,
      first_s: frames[0].time,
      origin: 0,
      fps,
      rate: `${fps.toFixed(1)} frames/s`,
      pixel_aspect: 1,
      warnings: [],
      clip: name,
      model: facts.name,
      backend: "the browser",
      engine: this.engine,
      is_track: false,
      size,
      image: size,
      joints: facts.joints,
      sides: facts.sides,
      limbs: facts.limbs,
      channels: facts.channels,
      kernel: facts.kernel,
      map: [facts.map, facts.map],
      map_range: [LOW, HIGH],
      truth_kind: "",
      calibrated: Boolean(facts.calibration),
      reinitialised: starts.map((step) => ({
        frame: step.frame,
        reason: "the box was drawn here",
        before: mean(steps[step.frame - 1]),
        after: mean(step),
      })),
      strange: [],
      unmatched: [0, ...starts.map(({ frame }) => frame)],
      worst: facts.joints.map((_, j) =>
        worstFrames(
          steps.map((step) => step.scores[j]),
          steps.map((step) => step.drift),
          fps,
        ),
      ),
      times,
      tracks: all((step) => step.joints),
      scores,
      speed: all((step) => speeds(steps, step, times)),
      drift: Float32Array.from(steps, (step) => step.drift),
      truth: new Float32Array(0),
      readout: Float32Array.from(facts.readout),
      bias: Float32Array.from(facts.bias),
      confidence: scores.map((score) => confidenceOf(score, facts.calibration)),
    };
  }

  /** @param {number} frame */
  record(frame) {
    const step = this.run.steps[frame];
    const before = step.isStart ? null : this.run.steps[frame - 1];
    const scale = before ? before.kernels.reduce((most, v) => Math.max(most, Math.abs(v)), 0) / 127 || 1 : 0;
    return {
      frame,
      previous: before && frame - 1,
      crop: step.square,
      kernel_scale: scale,
      jpeg: NOTHING,
      picture: () => this.picture(frame),
      joints: Float32Array.from(step.joints),
      scores: step.scores,
      peaks: Uint8Array.from(step.cells),
      maps: Uint8Array.from(step.maps, (v) => Math.round(Math.max(0, Math.min(1, (v - LOW) / (HIGH - LOW))) * 255)),
      kernels: before ? Int8Array.from(before.kernels, (v) => Math.round(v / scale)) : new Int8Array(0),
    };
  }

  /**
   * The picture of a frame as the network saw it, for the caller to close.
   * @param {number} frame
   */
  async picture(frame) {
    const bitmap = await createImageBitmap(this.run.frames[frame].blob);
    const covers = coversOf(this.run.changes.covers, frame);
    if (!covers.length) return bitmap;
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return createImageBitmap(cover(context.getImageData(0, 0, canvas.width, canvas.height), covers));
  }

  /** @param {number} frame */
  async detail(frame) {
    const kernels = this.run.steps[frame - 1].kernels.slice();
    return { frame, previous: frame - 1, projected: await this.run.explain(frame), kernels };
  }
}

/**
 * How fast each joint moved since the frame before, in pixels per second.
 * @param {Step[]} steps
 * @param {Step} step
 * @param {Float64Array} times
 */
function speeds(steps, { frame, joints }, times) {
  const before = steps[frame - 1]?.joints ?? joints;
  const seconds = Math.max(times[frame] - (times[frame - 1] ?? 0), 1e-6);
  return Array.from({ length: joints.length / 2 }, (_, j) => {
    const [dx, dy] = [2 * j, 2 * j + 1].map((i) => joints[i] - before[i]);
    return Math.hypot(dx, dy) / seconds;
  });
}
