// Holds a trace's data near the cursor, asks for what is missing, and lets all views paint one and the same record.

import { explainCell } from "./arithmetic.js";
import { mean } from "./text.js";
import { unpack } from "./wire.js";

const BUDGET = 192 * 2 ** 20; // bytes of records kept here; 2 hours of small maps, or about 2000 pictures of 720 lines
const BITMAP_BUDGET = 192 * 2 ** 20; // bytes of decoded pictures, 4 a pixel: 160 of 640 × 480
const AHEAD = 600; // frames fetched ahead of the cursor
const BACK = 3; // going on is so many times likelier than going back: a quarter of what is held lies behind
const CHUNK = 8; // records in a request; a single one where the cursor waits for it
const DECODERS = 2; // pictures that are decoded ahead of need at a time
const REST_MS = 120; // the cursor rests: time for the exact detail
const PLAYING_DETAIL_MS = 500; // while playing, a detail at most this often

export class Store {
  constructor(model, signal) {
    this.model = model;
    this.views = new Set();
    this.status = ""; // what the views say under the frame: waiting, an error, or nothing
    this.latencies = []; // ms from the user's move to the painted frame, newest last
    this.painted = 0; // frames painted so far
    this.budget = BUDGET;
    this.reset();
    model.on("msg:custom", (content, buffers) => this.receive(content, buffers));
    signal.addEventListener("abort", () => this.reset());
  }

  reset() {
    for (const bitmap of this.bitmaps?.values() ?? []) bitmap.close();
    cancelAnimationFrame(this.raf);
    clearTimeout(this.detailTimer);
    this.header = null;
    this.records = new Map(); // frame → record
    this.bytes = 0;
    this.bitmaps = new Map(); // frame → ImageBitmap
    this.decoding = new Set();
    this.shown = null; // the record that all views have painted
    this.passing = null; // a frame that was asked for a moment ago and is ready, while the one asked for now is not
    this.detail = null; // exact matching input of one frame
    this.pointer = null; // the map cell under the pointer, [x, y]
    this.asked = false; // a records request is under way
    this.askedDetail = false;
    this.failed = null; // the frame whose detail could not be had
    this.direction = 1;
    this.raf = 0;
    this.dirty = true; // something besides the frame changed since the last painting
  }

  attach(cursor) {
    if (this.cursor) return;
    this.cursor = cursor;
    let before = cursor.get("frame");
    cursor.on((name) => {
      const frame = cursor.get("frame");
      if (name === "frame" && frame !== before) {
        this.direction = frame > before ? 1 : -1;
        before = frame;
        this.fetch();
      }
      this.schedule(name !== "frame");
    });
    this.send({ type: "hello" });
  }

  add(view, signal) {
    this.views.add(view);
    signal.addEventListener("abort", () => this.views.delete(view));
    if (this.header) view.header?.(this.header);
    this.schedule();
  }

  send(content) {
    try {
      this.model.send(content);
      clearTimeout(this.patience);
      this.patience = setTimeout(() => this.say("waiting for the kernel …"), 1500);
      return true;
    } catch (error) {
      this.say("The kernel does not answer. Frames that are already here can still be seen.");
      return false;
    }
  }

  say(text) {
    this.status = text;
    for (const view of this.views) view.status?.(text);
  }

  receive(content, buffers) {
    clearTimeout(this.patience);
    if (content.type === "error") {
      if (content.asked === "records") this.asked = false;
      if (content.asked === "detail") this.askedDetail = false;
      this.failed = this.shown?.frame; // no new request until the cursor moves: an error must not repeat itself
      return this.say(content.message);
    }
    if (this.status) this.say("");
    if (!this.cursor) return; // nobody looks yet; the first view asks for all
    if (content.type === "header") return this.receiveHeader(content, buffers);
    if (content.generation !== this.header?.generation) return;
    if (content.type === "records") this.receiveRecords(content, buffers);
    if (content.type === "detail") this.receiveDetail(content, buffers);
  }

  receiveHeader(content, buffers) {
    if (content.keep && this.header) this.keep(content);
    else this.reset();
    const names = ["times", "tracks", "scores", "speed", "drift", "truth", "readout", "bias", "confidence"];
    const header = { ...content };
    names.forEach((name, i) => (header[name] = unpack(buffers[i], i ? Float32Array : Float64Array)));
    header.sureness = header.calibrated ? header.confidence : header.scores; // what the timeline's first lane shows
    header.meanSureness = Float32Array.from({ length: header.n_frames }, (_, t) =>
      mean(header.sureness, t * header.joints.length, header.joints.length),
    );
    header.anew = header.reinitialised.map(({ frame }) => frame);
    header.initial = new Set(header.unmatched); // frames whose maps are the initializer's, or held: nothing was matched
    this.header = header;
    const ready = (frame) => !this.decode(frame, true);
    this.cursor.clock = { times: header.times, ready, paint: () => this.paint() };
    if (this.cursor.get("playing")) this.cursor.startPlaying(); // asked for before there was anything to play
    for (const view of this.views) view.header?.(header);
    this.asked ||= Boolean(header.record_follows);
    this.schedule();
    this.fetch();
  }

  // Another header, of a run whose first frames are the same: what is here of them stays.
  keep({ generation, keep }) {
    for (const frame of [...this.records.keys()].filter((t) => t >= keep)) {
      this.bytes -= this.records.get(frame).bytes;
      this.records.delete(frame);
    }
    for (const frame of [...this.bitmaps.keys()].filter((t) => t >= keep)) {
      this.bitmaps.get(frame).close();
      this.bitmaps.delete(frame);
    }
    if (this.shown?.frame >= keep) this.shown = null;
    if (this.detail?.frame >= keep) this.detail = null;
    this.failed = null;
    if (generation === this.header.generation) return;
    this.asked = this.askedDetail = false; // what is under way is of the run before, and will be dropped
  }

  receiveRecords(content, buffers) {
    this.asked = false;
    const parts = buffers.length / content.records.length;
    content.records.forEach((entry, i) => {
      const [jpeg, joints, scores, peaks, maps, kernels] = buffers.slice(i * parts, (i + 1) * parts);
      const record = {
        ...entry,
        jpeg: new Blob([jpeg], { type: "image/jpeg" }),
        joints: unpack(joints, Float32Array),
        scores: unpack(scores, Float32Array),
        peaks: unpack(peaks, Uint8Array),
        maps: unpack(maps, Uint8Array),
        kernels: unpack(kernels, Int8Array),
      };
      record.bytes = jpeg.byteLength + maps.byteLength + kernels.byteLength;
      this.bytes += record.bytes - (this.records.get(record.frame)?.bytes ?? 0);
      this.records.set(record.frame, record);
    });
    this.forget();
    this.schedule();
    this.fetch();
  }

  receiveDetail(content, buffers) {
    this.askedDetail = false;
    this.detail = {
      frame: content.frame,
      projected: unpack(buffers[0], Float32Array),
      kernels: unpack(buffers[1], Float32Array),
    };
    this.schedule();
  }

  // ---- what to ask for, what to forget

  // Frames near the cursor in the order they are needed: a step back counts as much as BACK steps on.
  *needed() {
    const here = this.cursor.get("frame");
    yield here;
    for (let d = 1; d <= AHEAD; d++) {
      yield here + d * this.direction;
      if (d % BACK === 0) yield here - (d / BACK) * this.direction;
    }
  }

  fetch() {
    if (this.asked || !this.header || !this.views.size) return;
    const average = this.records.size ? this.bytes / this.records.size : 0;
    const room = average ? Math.floor((this.budget * 0.9) / average) : Infinity;
    const frames = [];
    const here = this.cursor.get("frame");
    const urgent = here < this.header.n_frames && !this.records.has(here);
    let seen = 0;
    for (const frame of this.needed()) {
      if (frame < 0 || frame >= this.header.n_frames) continue;
      if (++seen > room || frames.length === (urgent ? 1 : CHUNK)) break;
      if (!this.records.has(frame)) frames.push(frame);
    }
    if (frames.length) this.asked = this.send({ type: "records", generation: this.header.generation, frames });
  }

  // Over the budget, the records that are needed last go: by the same order, or they would be fetched again at once.
  forget() {
    if (this.bytes <= this.budget) return;
    const here = this.cursor.get("frame");
    const rank = (frame) => {
      const ahead = (frame - here) * this.direction;
      return ahead >= 0 ? ahead : -ahead * BACK;
    };
    for (const frame of [...this.records.keys()].sort((a, b) => rank(b) - rank(a))) {
      if (this.bytes <= this.budget) break;
      this.bytes -= this.records.get(frame).bytes;
      this.records.delete(frame);
    }
  }

  // Start decoding a frame's picture, if its record is here. Returns whether the frame can not be painted yet.
  decode(frame, isAhead = false) {
    const record = this.records.get(frame);
    if (this.bitmaps.has(frame)) return false;
    if (!record || this.decoding.has(frame)) return true;
    const { decoding } = this;
    decoding.add(frame);
    createImageBitmap(record.jpeg)
      .then((bitmap) => {
        if (this.records.get(frame) !== record) {
          bitmap.close(); // of a record that was dropped or replaced meanwhile
          return this.schedule(false);
        }
        this.bitmaps.set(frame, bitmap);
        if (!isAhead) this.passing = frame;
        if (!isAhead || frame === this.cursor.get("frame")) this.schedule(false);
      })
      .catch((error) => this.say(`The picture of frame ${frame} cannot be decoded: ${error.message}`))
      .finally(() => {
        decoding.delete(frame);
        if (decoding === this.decoding && this.header) this.decodeAround();
      });
    return true;
  }

  // Keep the pictures nearest to the cursor decoded, as many as the budget allows: scrubbing finds them ready.
  decodeAround() {
    const [width, height] = this.header.image;
    const room = Math.max(8, Math.floor(BITMAP_BUDGET / (4 * width * height)));
    const here = this.cursor.get("frame");
    const distance = (frame) => Math.abs(frame - here);
    const held = [...this.bitmaps.keys()].sort((a, b) => distance(b) - distance(a));
    for (const frame of held.slice(0, Math.max(0, held.length - room))) {
      this.bitmaps.get(frame).close();
      this.bitmaps.delete(frame);
    }
    for (let d = 1, seen = 1; seen < room && d < this.header.n_frames; d++)
      for (const frame of [here + d * this.direction, here - d * this.direction]) {
        if (this.decoding.size >= DECODERS) return;
        if (frame < 0 || frame >= this.header.n_frames) continue;
        seen += 1;
        this.decode(frame, true);
      }
  }

  // ---- painting: all views, one record, one animation frame

  schedule(dirty = true) {
    this.dirty ||= dirty;
    this.raf ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.raf);
    this.raf = 0;
    if (!this.header) return;
    const wanted = this.cursor.get("frame");
    const ready = this.records.has(wanted) && !this.decode(wanted);
    const target = ready ? wanted : this.passing; // fast scrubbing shows the frames it passes, not a frozen picture
    this.passing = null;
    if (target !== this.shown?.frame && this.bitmaps.has(target) && this.records.has(target)) {
      this.shown = this.records.get(target);
      this.painted += 1;
      this.dirty = true;
    }
    const bitmap = this.bitmaps.get(this.shown?.frame);
    if (this.dirty && bitmap) {
      for (const view of this.views) view.paint(this.shown, bitmap);
      this.dirty = false;
    }
    if (!ready) return;
    if (this.cursor.lastUserMove) {
      this.latencies.push(performance.now() - this.cursor.lastUserMove);
      if (this.latencies.length > 200) this.latencies.shift();
      this.cursor.lastUserMove = 0;
    }
    this.decodeAround();
    this.wantDetail();
  }

  // Ask for the exact numbers of the shown frame: once the cursor rests, and now and then while playing.
  wantDetail() {
    const playing = this.cursor.get("playing");
    if (playing && this.detailTimer) return;
    clearTimeout(this.detailTimer);
    this.detailTimer = 0;
    if (!this.header.channels) return; // no kernels, no arithmetic
    const has = (frame) => this.header.initial.has(frame) || frame === this.detail?.frame || frame === this.failed;
    if (this.askedDetail || has(this.shown.frame) || ![...this.views].some((view) => view.needsDetail)) return;
    this.detailTimer = setTimeout(
      () => {
        this.detailTimer = 0;
        const { frame } = this.shown ?? {};
        if (frame === undefined || has(frame)) return;
        this.failed = null;
        this.askedDetail = this.send({ type: "detail", generation: this.header.generation, frame });
      },
      playing ? PLAYING_DETAIL_MS : REST_MS,
    );
  }

  // ---- what is selected, and its arithmetic

  joint() {
    return Math.max(0, this.header.joints.indexOf(this.cursor.get("joint")));
  }

  // The cell that is explained, and why it is that one.
  cell() {
    const pinned = this.cursor.get("cell");
    const [width, height] = this.header.map;
    if (this.pointer) return { x: this.pointer[0], y: this.pointer[1], why: "pointer" };
    if (pinned) return { x: Math.min(pinned[0], width - 1), y: Math.min(pinned[1], height - 1), why: "pinned" };
    const j = this.joint();
    return { x: this.shown.peaks[2 * j], y: this.shown.peaks[2 * j + 1], why: "peak" };
  }

  point(cell) {
    if (String(cell) === String(this.pointer)) return;
    this.pointer = cell;
    this.schedule();
  }

  // How the value of a joint's map in a cell comes about, see explainCell; null while the exact numbers of the shown
  // frame are not here. Two views ask for the same cell, and each time they paint: so the last answer is kept.
  explain(joint, x, y) {
    if (!this.detail || this.detail.frame !== this.shown?.frame) return null;
    const key = [this.header.generation, this.detail.frame, joint, x, y].join();
    if (this.explained?.key !== key) this.explained = { key, ...explainCell(this.header, this.detail, joint, x, y) };
    return this.explained;
  }
}
