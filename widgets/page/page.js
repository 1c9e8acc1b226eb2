// A page from a file: the workbench of a recorded run, or of two beside each other, with the page in the place of the
// kernel.

import cursors from "../core/cursor.js";
import { h } from "../core/dom.js";
import { followTheme } from "../core/theme.js";
import { STILL, showBench } from "./bench.js";
import { Blocks } from "./blocks.js";
import { showGallery } from "./gallery.js";
import { hostOf, PageModel } from "./model.js";
import { PageFeed } from "./page_feed.js";
import { showRecorded } from "./recorded.js";
import { buildAbout, buildBookmarks, buildCaption, buildName, buildRuns } from "./texts.js";
import { playTogether } from "./together.js";

/** @import { Store } from "../core/store.js" */
/** @import { Widget } from "../core/types.d.ts" */
/** @import { Extend } from "../workbench/workbench.js" */
/** @import { Contents } from "./contents.d.ts" */

/**
 * @param {object} given
 * @param {Contents} given.contents
 * @param {(id: number) => Uint8Array<ArrayBuffer>} given.bytes
 * @param {HTMLElement} given.el
 * @param {(module: string) => Promise<Widget>} given.open
 */
async function render({ contents, bytes, el, open }) {
  const { signal } = new AbortController(); // never ends: the page does
  const blocks = new Blocks(bytes);
  const { cursor } = cursors.initialize({ model: new PageModel({ ...contents.shown }), signal });
  /** @type {Parameters<typeof hostOf>[0]} */
  const widgets = { cursor: { exports: { cursor }, render: async () => {} } };
  const host = hostOf(widgets);
  const isBeside = contents.arrange === "beside";
  const feeds = (isBeside ? [0, 1] : [0]).map((index) => new PageFeed(contents, blocks, index));
  if (contents.gallery)
    await showGallery(contents.gallery, { contents, feed: feeds[0], cursor, blocks, open, el, signal });
  const place = isBeside ? h("div", { class: "dkd-page-sides" }) : el;
  if (isBeside) {
    const head = h("section", { class: "dkd dkd-page-head", "aria-label": "Caption" }, ...buildCaption(contents));
    if (contents.caption) el.append(head);
    followTheme(head, signal);
    el.append(place);
  }
  /** @type {Store[]} */
  const stores = [];
  let hasFocus = false;
  for (const [index, feed] of feeds.entries()) {
    const isFirst = index === 0;
    /** @type {Extend} */
    const extend = (root, store, state) => {
      stores.push(store);
      const about = buildAbout(contents, store, isBeside ? feed.shown.name : "");
      const marks = buildBookmarks(contents, store, state);
      const header = () => {
        about.update(contents.people.indexOf(feed.shown));
        if (isBeside) playTogether(state, stores);
      };
      const paint = () => {
        if (!hasFocus) root.focus({ preventScroll: true }); // for the keys: on this page, nothing else wants them
        hasFocus = true;
      };
      store.add({ header, paint }, signal);
      if (isFirst) store.add(marks.view, signal);
      const above = isBeside
        ? [buildName(feed.shown.name)]
        : [...buildCaption(contents), ...buildRuns(contents, (i) => void feed.show(i))];
      const below = [...(isFirst ? marks.elements : []), about.element];
      return { own: {}, without: ["copy"], above, below };
    };
    const side = isBeside ? h("div", { class: "dkd-page-side" }) : el;
    if (isBeside) place.append(side);
    await showBench({
      widgets,
      host,
      feed,
      name: `feed ${index}`,
      el: side,
      ...(isBeside && { run: feed.shown.name }),
      signal,
      extend,
    });
  }
  const shared = { _cursor: "cursor", _feed: "feed 0", _filmstrip: STILL };
  await showRecorded(contents.views ?? [], { blocks, open, shared, host, el, signal });
}

export default /** @type {Widget} */ (/** @type {unknown} */ ({ render }));
