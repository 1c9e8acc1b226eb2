// The filmstrip: thumbnails of the clip, the frame that is shown, and the two ends of the range.

import { h } from "../core/dom.js";
import { clamp } from "../core/text.js";
import { listenForSliders } from "./drags.js";
import { borderAt, clock, frameAt, keyStep, moved, rangeText, shareOf, zoomed } from "./frames.js";
import { pictureUrl } from "./link.js";

/** @import { Message } from "../core/types.d.ts" */
/** @import { Clip, State } from "./types.d.ts" */
/** @import { Link } from "./link.js" */

const HEIGHT = 64; // pixels of a thumbnail, as in studio.css
const MOST = 48; // thumbnails, as in pictures.py
/** @typedef {"start" | "stop" | "here"} Name */
/** @type {Name[]} */
const NAMES = ["here", "start", "stop"];

const button = (/** @type {string} */ label, /** @type {() => void} */ onclick) =>
  h("button", { class: "dkd-text", onclick }, label);
const slider = (/** @type {Name} */ name, /** @type {string} */ label) =>
  h("div", { class: `dkd-strip-slider dkd-strip-${name}`, role: "slider", tabindex: 0, "aria-label": label });

export class Strip {
  thumbs = h("div", { class: "dkd-strip-thumbs", "aria-hidden": "true" });
  before = h("div", { class: "dkd-strip-out" });
  after = h("div", { class: "dkd-strip-out" });
  sliders = {
    start: slider("start", "First frame to track"),
    stop: slider("stop", "Last frame to track"),
    here: slider("here", "Frame that is shown"),
  };
  text = h("span", { class: "dkd-strip-text" });
  note = h("p", { class: "dkd-strip-note", hidden: true });
  whole = button("whole video", () => this.clip && this.setRange([0, this.clip.n], true));
  zoom = button("", () => this.fit(!this.isZoomed));
  /** @type {Clip | null} */
  clip = null;
  /** @type {[number, number]} */
  range = [0, 1];
  /** @type {[number, number]} */
  window = [0, 1]; // the frames that the strip spans
  here = 0;
  width = 0;
  isZoomed = false;
  isHeld = false; // a handle is being moved: what Python says of the range is older

  /**
   * @param {Link} link
   * @param {() => void} shown called when another frame is to be shown
   */
  constructor(link, shown) {
    this.link = link;
    this.shown = shown;
    this.strip = h("div", { class: "dkd-strip" }, this.thumbs, this.before, this.after);
    this.strip.append(...NAMES.map((name) => this.sliders[name]));
    const row = h("div", { class: "dkd-row" }, this.text, h("span", { class: "dkd-space" }), this.zoom, this.whole);
    this.element = h("div", { class: "dkd-strip-block" }, this.strip, row, this.note);
    link.on("thumbnail", (message, [view]) => this.receive(message, view));
    for (const name of NAMES) this.sliders[name].addEventListener("keydown", (event) => this.onKey(name, event));
    listenForSliders(this.strip, {
      hold: (isNow) => {
        this.isHeld = isNow;
        if (!isNow) this.setRange(this.range, true);
      },
      move: (name, share) => {
        if (name === "here") this.show(frameAt(share, this.window));
        else this.putEnd(name, borderAt(share, this.window));
      },
    });
    const observer = new ResizeObserver(() => {
      if (Math.abs(this.strip.clientWidth - this.width) >= HEIGHT) this.fit(this.isZoomed);
    });
    observer.observe(this.strip);
    link.signal.addEventListener("abort", () => {
      observer.disconnect();
      this.clear();
    });
  }

  /**
   * @param {State} state
   * @param {Clip | null} clip
   * @param {boolean} isOther
   */
  update(state, clip, isOther) {
    this.clip = clip;
    if (!clip) return this.clear();
    this.note.textContent = state.range_note;
    this.note.hidden = !state.range_note;
    if (!this.isHeld) this.range = [...state.range];
    if (isOther) {
      this.here = this.range[0];
      this.fit(false);
    }
    this.paint();
  }

  /** @param {number} frame to be shown */
  show(frame) {
    if (!this.clip) return;
    this.here = clamp(frame, 0, this.clip.n - 1);
    this.paint();
    this.shown();
  }

  paint() {
    if (!this.clip) return;
    const { clip, range, window, sliders } = this;
    const [start, stop] = range.map((border) => 100 * shareOf(border, window));
    this.before.style.width = sliders.start.style.left = `${start}%`;
    this.after.style.width = `${100 - stop}%`;
    sliders.stop.style.left = `${stop}%`;
    const here = 100 * shareOf(this.here + 0.5, window);
    sliders.here.style.left = `${here}%`;
    sliders.here.style.setProperty("--dkd-share", String(here)); // the label stays within the strip
    sliders.here.dataset.label = `${this.here} · ${clock(clip.times[this.here])}`;
    const values = { start: range[0], stop: range[1] - 1, here: this.here };
    for (const name of NAMES) {
      const text = `frame ${values[name]}, ${clock(clip.times[values[name]])}`;
      const about = { min: 0, max: clip.n - 1, now: values[name], text };
      for (const [key, value] of Object.entries(about)) sliders[name].setAttribute(`aria-value${key}`, String(value));
    }
    this.text.textContent = rangeText(range, clip.times);
    this.whole.hidden = range[0] === 0 && range[1] === clip.n;
    this.zoom.textContent = this.isZoomed ? "show the whole video" : "zoom to the range";
    this.zoom.hidden = !this.isZoomed && range[1] - range[0] > clip.n / 2;
  }

  /**
   * Span the whole clip or the range, and ask for as many thumbnails as there is room for.
   * @param {boolean} isZoomed
   */
  fit(isZoomed) {
    const { clip } = this;
    if (!clip) return;
    this.isZoomed = isZoomed;
    this.width = this.strip.clientWidth;
    this.window = isZoomed ? zoomed(this.range, clip.n) : [0, clip.n];
    const [first, stop] = this.window;
    const width = (HEIGHT * clip.size[0] * clip.aspect) / clip.size[1];
    const count = Math.max(1, Math.min(MOST, Math.round(this.width / width), stop - first));
    this.clear();
    this.thumbs.replaceChildren(...Array.from({ length: count }, () => h("span")));
    if (this.width) this.link.send({ type: "thumbnails", first, stop, count });
    this.paint();
  }

  /** Free the thumbnails. */
  clear() {
    for (const image of this.thumbs.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.thumbs.replaceChildren();
  }

  /**
   * @param {[number, number]} range
   * @param {boolean} isFinal
   */
  setRange(range, isFinal = false) {
    this.range = range;
    this.paint();
    if (isFinal) this.link.send({ type: "range", start: range[0], stop: range[1], place: "who" });
  }

  /**
   * @param {"start" | "stop"} end
   * @param {number} border
   * @param {boolean} isFinal
   */
  putEnd(end, border, isFinal = false) {
    if (!this.clip) return;
    this.setRange(moved(this.range, end, border, this.clip.n), isFinal);
    this.show(end === "start" ? this.range[0] : this.range[1] - 1);
  }

  /**
   * @param {Name} name
   * @param {KeyboardEvent} event
   */
  onKey(name, event) {
    const step = this.clip && keyStep(event, this.clip.fps);
    if (step === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (name === "here") this.show(this.here + step);
    else this.putEnd(name, this.range[name === "start" ? 0 : 1] + step, true);
  }

  /**
   * @param {Message} message
   * @param {DataView} view
   */
  receive({ generation, window, index, of }, view) {
    const place = this.thumbs.children[index];
    const isOurs = generation === this.clip?.generation && String(window) === String(this.window);
    if (isOurs && place && this.thumbs.children.length === of) {
      place.replaceChildren(h("img", { src: pictureUrl(view), alt: "" }));
    }
  }
}
