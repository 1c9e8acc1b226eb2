// A frame of the clip with the boxes of the people in it: drawn, moved and resized with the mouse or keys.

import { context2d, h } from "../core/dom.js";
import { stroke } from "../core/drawing.js";
import { Boxes } from "./boxes.js";
import { pictureUrl } from "./link.js";

/** @import { Message } from "../core/types.d.ts" */
/** @import { Clip, State } from "./types.d.ts" */
/** @import { Link } from "./link.js" */

/**
 * @param {Link} link
 * @param {() => number} frame the frame that is shown
 */
export function buildPicture(link, frame) {
  const image = h("img", { class: "dkd-picture-frame", alt: "", draggable: "false" });
  const live = h("canvas", { class: "dkd-picture-live", "aria-hidden": "true" });
  const note = h("span", { class: "dkd-picture-note", hidden: true });
  const boxes = new Boxes(link, frame);
  const element = h("div", { class: "dkd-picture" }, image, live, boxes.element, note);
  const frames = requestFrames(link, frame, {
    height: () => Math.ceil(element.clientHeight * (globalThis.devicePixelRatio || 1)),
    show: (number, url) => {
      image.src = url;
      image.alt = `Frame ${number} of the video`;
      element.dataset.frame = String(number);
    },
    fail: (text) => {
      note.textContent = text;
      note.hidden = !text;
    },
  });
  /** @type {State} */
  let now;
  link.on("traced", (message, buffers) => {
    if (!now.tracking) return;
    const { joints, jpeg } = splitTraced(message, buffers);
    frames.showNow(message.frame, pictureUrl(jpeg));
    const person = now.people.find(({ key }) => key === message.key);
    if (link.clip) drawSkeleton(live, joints, message.limbs, link.clip, person?.colour ?? "#ffffff");
  });
  return {
    element,
    boxes,
    frames,
    /**
     * @param {State} state
     * @param {Clip | null} clip
     * @param {boolean} isOther
     */
    update(state, clip, isOther) {
      const wasTracking = now?.tracking;
      now = state;
      element.classList.toggle("dkd-tracking", state.tracking);
      if (!clip) return frames.clear();
      if (isOther) frames.clear();
      if (isOther || (wasTracking && !state.tracking)) {
        context2d(live).clearRect(0, 0, live.width, live.height);
        frames.ask();
      }
      boxes.update(state, clip);
    },
  };
}

/**
 * The joints and the picture of a frame that was just tracked.
 * @param {Message} message
 * @param {DataView[]} buffers
 */
function splitTraced({ parts = [] }, buffers) {
  const of = (/** @type {string} */ name) => buffers[parts.findIndex(([path]) => path[0] === name)];
  const { buffer, byteOffset, byteLength } = of("joints");
  return { joints: new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)), jpeg: of("jpeg") };
}

/**
 * Asks for the frame that is to be shown, one request at a time: where one scrubs, frames in between are left out.
 * @param {Link} link
 * @param {() => number} wanted
 * @param {{ height: () => number, show: (frame: number, url: string) => void, fail: (text: string) => void }} page
 */
function requestFrames(link, wanted, page) {
  let asked = -1; // the frame on its way
  let url = "";
  const replace = (/** @type {number} */ frame, /** @type {string} */ next) => {
    URL.revokeObjectURL(url);
    url = next;
    page.show(frame, next);
  };
  const request = () => {
    asked = wanted();
    link.send({ type: "frame", frame: asked, height: Math.max(240, page.height()) });
  };
  link.on("frame", (message, [view]) => {
    if (message.generation !== link.clip?.generation) return;
    asked = -1;
    page.fail(message.problem ?? "");
    if (view) replace(message.frame, pictureUrl(view));
    if (message.frame !== wanted()) request();
  });
  link.signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  return {
    ask: () => {
      if (asked < 0) request();
    },
    showNow: replace,
    clear: () => {
      asked = -1;
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} joints (J, 2) in pixels of the frame
 * @param {[number, number][]} limbs
 * @param {Clip} clip
 * @param {string} colour
 */
function drawSkeleton(canvas, joints, limbs, clip, colour) {
  const ratio = globalThis.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = context2d(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  /** @returns {[number, number]} */
  const at = (/** @type {number} */ j) => [
    ((joints[2 * j] + 0.5) / clip.size[0]) * width,
    ((joints[2 * j + 1] + 0.5) / clip.size[1]) * height,
  ];
  for (const [strokeStyle, lineWidth] of /** @type {[string, number][]} */ ([
    ["rgba(0,0,0,.6)", 5],
    [colour, 3],
  ])) {
    Object.assign(context, { strokeStyle, lineWidth, lineCap: "round" });
    for (const [a, b] of limbs) if (Number.isFinite(joints[2 * a] + joints[2 * b])) stroke(context, at(a), at(b));
  }
  context.fillStyle = colour;
  for (let j = 0; j < joints.length / 2; j++) {
    if (!Number.isFinite(joints[2 * j])) continue;
    context.beginPath();
    context.arc(...at(j), 3.5, 0, 2 * Math.PI);
    context.fill();
  }
}
