// The anatomy view: how one joint's map in one frame was computed, on three linked levels.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Context, FrameRecord, Header, Model, View } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { FrameTensors, Explained, Scene } from "./tensors.js" */

import { h } from "../core/dom.js";
import { mount } from "../core/mount.js";
import { FrameRequest } from "../core/request.js";
import { matchedIn, numberOf, whyAbsent } from "../core/text.js";
import { isDark } from "../core/theme.js";
import { readAnatomy } from "./message.js";
import { buildNumbers } from "./numbers.js";
import { buildPickers } from "./pickers.js";
import { buildPipeline } from "./pipeline.js";
import { buildSlide } from "./slide.js";
import { followed } from "./tensors.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Store} options.store
 * @param {CursorState} options.cursor
 * @param {Model} options.model
 * @param {AbortSignal} options.signal
 * @returns {View}
 */
function buildAnatomy({ root, store, cursor, model, signal }) {
  /** @type {number | null} */
  let chosen = null; // the channel that was picked; null: the one that contributes most
  let painted = ""; // what the levels show
  /** @param {number | null} channel */
  const choose = (channel) => {
    chosen = channel;
    store.schedule();
  };
  const links = { choose, pin: (/** @type {number} */ x, /** @type {number} */ y) => cursor.set("cell", [x, y]) };
  const levels = [buildPipeline(links), buildSlide(links, signal), buildNumbers(links)];
  const pickers = buildPickers(cursor, choose);
  const none = h("p", { hidden: true });
  const body = h("div", { class: "dkd-body" }, ...levels.map((level) => level.element));
  root.append(h("div", { class: "dkd-panel" }, pickers.element, none, body));
  const options = {
    type: "anatomy",
    read: readAnatomy,
    arrived: () => store.schedule(),
    failed: (/** @type {string} */ message) => view.status?.(message),
  };
  const request = new FrameRequest(model, options, signal);

  /** @type {View} */
  const view = {
    needsDetail: true,
    header(header) {
      request.reset(header.generation);
      [chosen, painted] = [null, ""];
      pickers.header(header);
    },
    paint(record) {
      const { header } = store;
      if (!header) return;
      const joint = store.joint();
      const words = whyEmpty(header, record.frame) || whyAbsent(header, record.frame, model.get("_apart"));
      pickers.say(header.joints[joint], numberOf(header, record.frame));
      none.hidden = !words;
      none.textContent = words;
      body.hidden = Boolean(words);
      root.dataset.frame = String(record.frame);
      if (words) return;
      request.want(record.frame);
      const scene = sceneOf(store, header, request.data, record, joint, chosen);
      body.classList.toggle("dkd-stale", !scene);
      if (!scene) return;
      const { cell, channel } = scene;
      const key = [header.generation, record.frame, joint, cell.x, cell.y, cell.why, channel, isDark()].join();
      if (key === painted) return;
      painted = key;
      pickers.sayChannel(channel);
      for (const level of levels) level.paint(scene);
      root.dataset.channel = String(channel);
      root.dataset.cell = `${cell.x},${cell.y}`;
    },
  };
  return view;
}

/**
 * Why a frame has no anatomy; empty where it has one.
 *
 * @param {Pick<Header, "channels" | "initial" | "origin" | "first">} header
 * @param {number} frame
 */
export function whyEmpty(header, frame) {
  const { channels, initial } = header;
  if (!channels) return "This model has no kernels to take apart: it matches nothing.";
  if (!initial.has(frame)) return "";
  return (
    `The maps of frame ${numberOf(header, frame)} come from the pose initializer: nothing is matched in it. ` +
    `The kernels distilled from it are used in ${matchedIn(header, frame)}.`
  );
}

/**
 * What the levels show; null while the frame's numbers are not here.
 *
 * @param {Store} store
 * @param {Header} header
 * @param {FrameTensors | null} data
 * @param {FrameRecord} record
 * @param {number} joint
 * @param {number | null} chosen
 * @returns {Scene | null}
 */
function sceneOf(store, header, data, record, joint, chosen) {
  const cell = store.cell();
  /** @type {Explained | null} */
  const explained = store.explain(joint, cell.x, cell.y);
  const { detail } = store;
  if (!explained || !detail || data?.frame !== record.frame) return null;
  const readout = (/** @type {number} */ c) => header.readout[joint * header.channels + c];
  const name = header.joints[joint];
  const numbered = { ...detail, previous: numberOf(header, detail.previous) }; // frames are only named from here on
  return {
    ...{ header, detail: numbered, data, explained, cell, joint, name, readout },
    frame: numberOf(header, record.frame),
    ...followed(explained, chosen),
  };
}

export default {
  /** @param {Context} context */
  async render(context) {
    const { model } = context;
    await mount(context, "anatomy", "Anatomy", (root, store, cursor, signal) =>
      buildAnatomy({ root, store, cursor, model, signal }),
    );
  },
};
