// The shared state, in the browser: moves the frame, plays, and tells the kernel a few times a second.

const SAVE_EVERY_MS = 100; // the kernel hears of the frame at most this often while it moves
const SLACK_S = 0.004; // a frame is due so much early: the beat of screen and clip would make the pace uneven
const TRAITS = ["frame", "joint", "layers", "cell", "playing", "speed", "range", "n_frames", "joint_names"];

const said = (name, value) => `${name} ${JSON.stringify(value)}`;

class CursorState {
  constructor(model) {
    this.model = model;
    this.listeners = new Set();
    this.clock = null; // {times, ready(frame), paint()}, by the feed: see startPlaying
    this.lastUserMove = 0; // when the user last asked for a frame (performance.now), for the latency read-out
    this.saveTimer = null;
    this.unsaved = new Map(); // what the kernel has not heard yet
    this.sent = []; // what it has heard last, as text: it echoes each
    for (const name of TRAITS)
      model.on(`change:${name}`, () => {
        if (name === "n_frames") this.unsaved.clear(); // another trace: its frames are others
        if (this.unsaved.has(name)) {
          // While something newer waits here, the echo of an older value is stale; but what Python says itself wins.
          if (this.sent.includes(said(name, model.get(name)))) return;
          this.unsaved.delete(name);
        }
        this.changed(name);
      });
  }

  get(name) {
    return this.unsaved.has(name) ? this.unsaved.get(name) : this.model.get(name);
  }

  // fn(name) at each change; ends with the signal
  on(fn, signal) {
    this.listeners.add(fn);
    signal?.addEventListener("abort", () => this.listeners.delete(fn));
  }

  changed(name) {
    if (name === "playing") this.get("playing") ? this.startPlaying() : cancelAnimationFrame(this.raf);
    for (const fn of this.listeners) fn(name);
  }

  set(name, value, { now = true } = {}) {
    this.unsaved.set(name, value);
    this.changed(name);
    if (now) this.save();
    else this.saveTimer ??= setTimeout(() => this.save(), SAVE_EVERY_MS);
  }

  save() {
    clearTimeout(this.saveTimer);
    this.saveTimer = null;
    try {
      for (const [name, value] of this.unsaved) {
        this.sent = [...this.sent.slice(-15), said(name, value)];
        this.model.set(name, value);
      }
      this.unsaved.clear();
      this.model.save_changes();
    } catch (error) {
      console.warn("the kernel did not take the cursor's state", error); // a dead kernel: the browser goes on alone
    }
  }

  // Go to a frame, by the user's hand.
  seek(frame, stamp = performance.now()) {
    const target = Math.max(0, Math.min(this.get("n_frames") - 1, Math.round(frame)));
    if (!Number.isFinite(target)) return;
    this.lastUserMove = stamp;
    if (this.get("playing")) this.restartClock(target);
    this.set("frame", target, { now: false });
  }

  step(count) {
    if (this.get("playing")) this.set("playing", false);
    this.seek(this.get("frame") + count);
  }

  toggle() {
    const atEnd = this.get("frame") >= this.lastFrame();
    if (!this.get("playing") && atEnd) this.seek(this.firstFrame());
    this.set("playing", !this.get("playing"));
  }

  setLayer(name, value) {
    this.set("layers", { ...this.get("layers"), [name]: value }, { now: name !== "opacity" });
  }

  firstFrame() {
    return this.get("range")?.[0] ?? 0;
  }

  lastFrame() {
    return this.get("range")?.[1] ?? this.get("n_frames") - 1;
  }

  restartClock(frame) {
    this.clipTime = this.clock?.times[frame] ?? 0;
    this.wallTime = null;
  }

  // Playing follows the clip's own times, so a variable frame rate plays right. Where the next frame is not ready to be
  // painted the clock waits for it. Each frame is painted in the animation frame that chose it, so that none is lost
  // when two follow each other closely.
  startPlaying() {
    this.restartClock(this.get("frame"));
    const tick = (now) => {
      if (!this.get("playing") || !this.clock) return;
      this.raf = requestAnimationFrame(tick);
      const elapsed = this.wallTime === null ? 0 : Math.min(0.25, (now - this.wallTime) / 1000);
      this.wallTime = now;
      this.clipTime += elapsed * this.get("speed");
      const frame = this.get("frame");
      const { times, ready } = this.clock;
      let next = frame;
      while (next < this.lastFrame() && times[next + 1] <= this.clipTime + SLACK_S) next += 1;
      if (next !== frame && !ready(next)) return this.restartClock(frame);
      if (next !== frame) {
        this.set("frame", next, { now: false });
        this.clock.paint();
      }
      if (next < this.lastFrame()) return;
      if (this.get("range") && this.clipTime > times[next] + 0.3) {
        this.restartClock(this.firstFrame());
        this.set("frame", this.firstFrame(), { now: false });
      } else if (!this.get("range")) {
        this.set("playing", false);
      }
    };
    cancelAnimationFrame(this.raf);
    this.raf = requestAnimationFrame(tick);
  }
}

export default {
  initialize({ model, signal }) {
    const cursor = new CursorState(model);
    signal.addEventListener("abort", () => {
      clearTimeout(cursor.saveTimer);
      cancelAnimationFrame(cursor.raf);
    });
    return { cursor };
  },
};
