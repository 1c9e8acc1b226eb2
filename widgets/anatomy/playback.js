// Plays the steps of the sliding window, at so many cells per second.

const LONGEST_MS = 250; // after a pause of the page it goes on from where it was

export class Playback {
  #raf = 0;
  #before = 0;
  #position = 0;

  /**
   * @param {object} options
   * @param {() => number} options.speed cells per second
   * @param {(step: number) => boolean} options.go shows a step; returns whether there are more
   * @param {(isPlaying: boolean) => void} options.changed called when it starts and when it stops
   */
  constructor({ speed, go, changed }) {
    this.speed = speed;
    this.go = go;
    this.changed = changed;
  }

  get isPlaying() {
    return this.#raf !== 0;
  }

  /** @param {number} step where to start */
  start(step) {
    this.#position = step;
    this.#before = performance.now();
    this.#raf = requestAnimationFrame(this.#tick);
    this.changed(true);
  }

  stop() {
    cancelAnimationFrame(this.#raf);
    this.#raf = 0;
    this.changed(false);
  }

  /** @param {number} now in ms */
  #tick = (now) => {
    const before = Math.floor(this.#position);
    this.#position += (Math.min(LONGEST_MS, now - this.#before) / 1000) * this.speed();
    this.#before = now;
    const step = Math.floor(this.#position);
    if (step !== before && !this.go(step)) return this.stop();
    this.#raf = requestAnimationFrame(this.#tick);
  };
}
