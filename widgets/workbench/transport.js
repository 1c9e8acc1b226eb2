// The transport: the controls that move in time, choose the joint and switch the layers.

import { focusedIn, h, icon, iconButton } from "../core/dom.js";
import { actions, SPEEDS } from "../core/keys.js";
import { numberOf, readable, secondsOf } from "../core/text.js";
import { holdable } from "./held.js";
import { buildLayers } from "./layers.js";

const IN_VIDEO = " as in the video; in Python, the first of them is frame 0 of the trace";

/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { CursorState } from "../core/cursor.js" */
/** @import { Store } from "../core/store.js" */

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 */
export function buildTransport(root, store, cursor, signal) {
  const playing = buildPlaying(root, store, cursor, signal);
  const speed = buildSpeed(cursor);
  const joint = buildJoint(store, cursor);
  const layers = buildLayers(cursor);
  const scrub = buildScrub(store, cursor);
  const element = h(
    "div",
    { class: "dkd-transport" },
    h("div", { class: "dkd-row" }, playing.element, speed.element, joint.element, layers.element),
    scrub.element,
  );
  return {
    element,
    /** @param {Header} header */
    header(header) {
      joint.header(header);
      layers.header(header);
      scrub.header(header);
    },
    /** @param {FrameRecord} record */
    paint(record) {
      for (const part of [playing, speed, joint, layers]) part.paint();
      scrub.paint(record);
    },
  };
}

/**
 * First, back, play or pause, on, last.
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {CursorState} cursor
 * @param {AbortSignal} signal
 */
function buildPlaying(root, store, cursor, signal) {
  const act = actions(root, store, cursor);
  const step = (/** @type {"back" | "on"} */ name, /** @type {string} */ label, /** @type {number} */ by) => {
    const button = iconButton(name, label, () => act.step(by));
    return holdable(button, (repeats) => act.step(by, repeats), signal);
  };
  const play = iconButton("play", "Play (Space)", () => cursor.toggle());
  const element = h(
    "div",
    { class: "dkd-buttons", role: "group", "aria-label": "Playing" },
    iconButton("first", "First frame (Home)", act.first),
    step("back", "One frame back (←); hold to accelerate", -1),
    play,
    step("on", "One frame on (→); hold to accelerate", 1),
    iconButton("last", "Last frame (End)", act.last),
  );
  return {
    element,
    paint() {
      const isPlaying = cursor.get("playing");
      if (play.dataset.playing === String(isPlaying)) return;
      play.dataset.playing = String(isPlaying);
      play.replaceChildren(icon(isPlaying ? "pause" : "play"));
      play.title = isPlaying ? "Pause (Space)" : "Play (Space)";
      play.setAttribute("aria-label", play.title);
    },
  };
}

/** @param {CursorState} cursor */
function buildSpeed(cursor) {
  const element = h("select", {
    title: "Playing speed (− and +)",
    "aria-label": "Playing speed",
    onchange: () => void cursor.set("speed", Number(element.value)),
  });
  for (const value of SPEEDS) element.append(h("option", { value }, `×${value}`));
  return {
    element,
    paint() {
      element.value = String(cursor.get("speed"));
    },
  };
}

/**
 * @param {Store} store
 * @param {CursorState} cursor
 */
function buildJoint(store, cursor) {
  const element = h("select", {
    title: "Selected joint (J, Shift J, or click it)",
    "aria-label": "Selected joint",
    onchange: () => void cursor.set("joint", element.value),
  });
  return {
    element,
    /** @param {Header} header */
    header({ joints }) {
      element.replaceChildren(...joints.map((name) => h("option", { value: name }, readable(name))));
    },
    paint() {
      element.value = store.header.joints[store.joint()];
    },
  };
}

/**
 * The frame's number, the slider, and the time in the clip.
 * @param {Store} store
 * @param {CursorState} cursor
 */
function buildScrub(store, cursor) {
  const goto = h("input", {
    type: "number",
    class: "dkd-goto",
    title: "Go to frame (F)",
    "aria-label": "Go to frame",
    onchange: () => void cursor.seek(Number(goto.value) - store.header.first),
  });
  const total = h("span", { class: "dkd-muted" });
  const seconds = h("span", { class: "dkd-seconds", title: "Time in the clip" });
  const slider = h("input", {
    type: "range",
    class: "dkd-slider",
    min: 0,
    step: 1,
    "aria-label": "Frame",
    title: "Frame",
    oninput: (event) => void cursor.seek(Number(slider.value), event.timeStamp),
  });
  return {
    element: h("div", { class: "dkd-scrub" }, h("span", { class: "dkd-clock" }, goto, total), slider, seconds),
    /** @param {Header} header */
    header({ n_frames: count, first }) {
      const last = first + count - 1;
      slider.max = String(count - 1);
      [goto.min, goto.max] = [String(first), String(last)];
      total.textContent = first ? `last ${last}` : `/ ${count}`;
      total.title = `${count} frames, counted from ${first} to ${last}${first ? IN_VIDEO : ""}`;
    },
    /** @param {FrameRecord} record */
    paint({ frame }) {
      const time = secondsOf(store.header, frame).toFixed(3);
      const number = numberOf(store.header, frame);
      slider.value = String(cursor.get("frame"));
      slider.setAttribute("aria-valuetext", `frame ${number}, ${time} seconds`);
      if (focusedIn(goto) !== goto) goto.value = String(number);
      seconds.textContent = `${time} s`;
    },
  };
}
