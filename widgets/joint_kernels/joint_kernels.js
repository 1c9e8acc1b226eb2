// The view of kernels made at the joints: what was looked for, where it fits now, and the map before and after.

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Context, Header, Model, View } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { Frame } from "./search.js" */

import { h } from "../core/dom.js";
import { mount } from "../core/mount.js";
import { FrameRequest } from "../core/request.js";
import { matchedIn, numberOf, plain, readable, whyAbsent } from "../core/text.js";
import { isDark } from "../core/theme.js";
import { buildHeatmap, buildPatch, buildResponse } from "./figures.js";
import { buildPickers } from "./pickers.js";
import { decodedPictures } from "./pictures.js";
import { best, inWords, numbersOf, patchOf, readFrame, searchOf } from "./search.js";

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Store} options.store
 * @param {CursorState} options.cursor
 * @param {Model} options.model
 * @param {AbortSignal} options.signal
 * @returns {View}
 */
function buildJointKernels({ root, store, cursor, model, signal }) {
  let painted = ""; // what is shown
  const pictures = decodedPictures(() => store.schedule(), signal);
  const pickers = buildPickers(cursor);
  const figures = {
    patch: buildPatch(),
    fast: buildResponse("where the fast kernel fits"),
    slow: buildResponse("where the slow kernel fits"),
    matched: buildHeatmap("the matched map"),
    map: buildHeatmap("the map after the gate"),
  };
  const none = h("p", { hidden: true });
  const row = h("div", { class: "dkd-joint-row" }, ...Object.values(figures).map((figure) => figure.element));
  const numbers = h("div", { class: "dkd-joint-numbers" });
  const body = h("div", {}, row, numbers);
  root.append(h("div", { class: "dkd-panel" }, pickers.element, none, body));
  const options = {
    type: "joint_kernels",
    read: readFrame,
    arrived: () => store.schedule(),
    failed: (/** @type {string} */ message) => view.status?.(message),
  };
  const request = new FrameRequest(model, options, signal);

  /** @type {View} */
  const view = {
    header(header) {
      request.reset(header.generation);
      painted = "";
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
      const { data } = request;
      const shown = data?.frame === record.frame ? pictures.of(data) : null;
      body.classList.toggle("dkd-stale", !shown);
      if (!shown || !data) return;
      const key = [header.generation, record.frame, joint, isDark()].join();
      if (key === painted) return;
      painted = key;
      paintSearch(figures, numbers, header, data, shown, joint);
      root.dataset.shown = `${record.frame},${header.joints[joint]}`;
    },
  };
  return view;
}

/**
 * @param {{ patch: ReturnType<typeof buildPatch>, fast: ReturnType<typeof buildResponse>,
 *   slow: ReturnType<typeof buildResponse>, matched: ReturnType<typeof buildHeatmap>,
 *   map: ReturnType<typeof buildHeatmap> }} figures
 * @param {HTMLElement} numbers
 * @param {Header} header
 * @param {Frame} data
 * @param {{ url: string, before: ImageBitmap }} pictures
 * @param {number} joint
 */
function paintSearch(figures, numbers, header, data, { url, before }, joint) {
  const name = readable(header.joints[joint]);
  const search = searchOf(data, joint, header.map);
  const other = data.opposite[joint];
  const opposite = other < 0 ? null : { name: header.joints[other], search: searchOf(data, other, header.map) };
  const patch = patchOf(search.peak, data.side, header.map, before.width);
  const across = `${data.side} × ${data.side} cells`;
  const previous = numberOf(header, data.previous);
  figures.patch.paint(before, patch, data.side, `frame ${previous}: ${across} around the ${name}`);
  const peak = best(search.map);
  for (const kind of /** @type {const} */ (["fast", "slow"])) {
    const at = best(search[kind]);
    const elsewhere = opposite && best(opposite.search[kind]);
    const where = `best ${plain(search[kind][at], 2)} at (${cellOf(at, header)})`;
    const words = opposite ? `${where}; ◇ ${readable(opposite.name)}’s kernel` : where;
    figures[kind].paint(url, search[kind], header.map, [peak, at, elsewhere], `○ ${words}`);
  }
  const matchedPeak = best(search.matched);
  const said = (/** @type {Float32Array} */ map, /** @type {number} */ at) =>
    `peak ${plain(map[at], 2)} at (${cellOf(at, header)})`;
  figures.matched.paint(url, search.matched, header.map, [matchedPeak], said(search.matched, matchedPeak));
  figures.map.paint(url, search.map, header.map, [peak], said(search.map, peak));
  numbers.replaceChildren(
    h("span", {}, "fast / slow kernel:"),
    ...numbersOf(search, opposite).map(({ what, values }) =>
      h(
        "span",
        { "data-what": what, "data-fast": values[0], "data-slow": values[1] },
        `${what} `,
        h("b", {}, inWords(values)),
      ),
    ),
  );
}

/** @type {(at: number, header: Pick<Header, "map">) => string} */
const cellOf = (at, { map }) => `${at % map[0]}, ${Math.floor(at / map[0])}`;

/**
 * Why there is nothing to show of a frame; empty where there is.
 *
 * @param {Pick<Header, "at_joints" | "initial" | "origin" | "first">} header
 * @param {number} frame
 */
export function whyEmpty(header, frame) {
  if (!header.at_joints) return "This model makes no kernels at the joints.";
  if (!header.initial.has(frame)) return "";
  return (
    `The maps of frame ${numberOf(header, frame)} come from the pose initializer: nothing was looked for in it. ` +
    `The kernels made in it are searched for in ${matchedIn(header, frame)}.`
  );
}

export default {
  /** @param {Context} context */
  async render(context) {
    const { model } = context;
    await mount(context, "joint-kernels", "Kernels at the joint", (root, store, cursor, signal) =>
      buildJointKernels({ root, store, cursor, model, signal }),
    );
  },
};
