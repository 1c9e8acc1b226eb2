// Where the frames come from: the sample in the page, a video file, or the webcam.

import { cameraProblem, openCamera } from "../core/webcam.js";
import { readBlock } from "../page/blocks.js";
import { keptSize, openVideo, readCamera, readVideo } from "./capture.js";
import { buildSourceBar, listenForDrops } from "./source_bar.js";

/** @import { Run } from "./run.js" */
/** @import { LiveContents } from "./types.d.ts" */

const LIMIT = 600; // frames: of maps and kernels, 60 kB each are held
const WANTED = { width: { ideal: 640 }, height: { ideal: 480 } };

export class Sources {
  /**
   * @param {Run} run
   * @param {LiveContents["sample"]} sample
   * @param {(id: number) => Uint8Array<ArrayBuffer>} bytes
   * @param {AbortSignal} signal
   */
  constructor(run, sample, bytes, signal) {
    this.run = run;
    this.sample = sample;
    this.bytes = bytes;
    this.reading = new AbortController();
    this.isReading = false;
    this.taken = 0;
    this.begun = 0;
    this.bar = buildSourceBar({
      sample: sample.name,
      open: (file) => void this.open(file),
      play: () => void this.play(),
      film: () => void this.film(),
      stop: () => this.reading.abort(),
    });
    this.bar.say("unpacking the network …", 0);
    listenForDrops((file) => void this.open(file), signal);
    run.listeners.add((message) => this.hear(message));
  }

  /** The network is on its way into the worker: the sample's first frame waits for it. */
  begin() {
    void this.play();
  }

  /** @param {import("./types.d.ts").FromWorker | { type: "changed" }} message */
  hear(message) {
    const { frames, steps } = this.run;
    if (message.type === "failed") this.bar.sayProblem(`The network does not run in this browser: ${message.message}`);
    if (message.type === "opened") {
      this.bar.say(`starting the network: ${message.done} of ${message.of}`, message.done / message.of);
      if (message.done === message.of) this.bar.enable();
    }
    if (message.type === "changed") this.begun = performance.now() - (steps.length ? 0 : 1);
    if (message.type !== "step") return;
    const rate = ((steps.length - this.run.from) * 1000) / (performance.now() - this.begun);
    const of = this.isReading ? "" : ` of ${frames.length}`;
    const isDone = steps.length >= frames.length && !this.isReading;
    const pace = `${rate.toFixed(1)} frames/s`;
    this.bar.say(`${steps.length}${of} frames tracked, ${pace}`, isDone ? null : steps.length / frames.length);
  }

  /**
   * End what is read, and show something else from now on.
   * @param {string} name
   * @param {[number, number]} size
   */
  next(name, size) {
    this.reading.abort();
    this.reading = new AbortController();
    this.bar.sayProblem("");
    this.taken = 0;
    this.run.clear(name, size);
    return this.reading.signal;
  }

  async play() {
    const { name, size, box, times, pictures } = this.sample;
    const signal = this.next(name, size);
    if (box) this.run.change({ kind: "box", frame: 0, box });
    let at = 0;
    for (const number of pictures) {
      const block = await readBlock(this.bytes(number));
      if (signal.aborted) return;
      const blobs = block.pictures.map((/** @type {BlobPart} */ data) => new Blob([data], { type: "image/webp" }));
      this.run.add(blobs.map((/** @type {Blob} */ blob, /** @type {number} */ i) => ({ blob, time: times[at + i] })));
      at += blobs.length;
    }
  }

  /** @param {File} file */
  async open(file) {
    try {
      await this.read(file.name, await openVideo(file), readVideo);
    } catch (error) {
      const why = error instanceof Error ? error.message : error;
      this.bar.sayProblem(`${file.name} cannot be opened: ${why}. Choose an MP4 or WebM that this browser plays.`);
    }
  }

  async film() {
    try {
      const stream = await openCamera(WANTED);
      const video = await openVideo(stream);
      await this.read("webcam", video, readCamera);
      for (const track of stream.getTracks()) track.stop();
    } catch (error) {
      this.bar.sayProblem(cameraProblem(error));
    }
  }

  /**
   * @param {string} name
   * @param {HTMLVideoElement} video
   * @param {typeof readVideo | typeof readCamera} reader
   */
  async read(name, video, reader) {
    const signal = this.next(name, keptSize(video.videoWidth, video.videoHeight));
    this.isReading = true;
    this.bar.preview.replaceChildren(video);
    this.bar.reading(true);
    const { run } = this;
    const isLive = reader === readCamera;
    const take = (/** @type {ImageBitmap} */ bitmap, /** @type {number} */ time) => {
      if (signal.aborted) return bitmap.close();
      this.taken += 1;
      run.post({ type: "picture", bitmap, time }, [bitmap]);
    };
    const backlog = () => this.taken - (isLive ? run.steps.length : run.frames.length);
    await reader(video, { take, backlog, limit: LIMIT }, signal);
    if (video.src) URL.revokeObjectURL(video.src);
    if (signal !== this.reading.signal) return; // something else is read now
    this.isReading = false;
    this.bar.reading(false);
  }
}
