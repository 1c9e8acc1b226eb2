// A page from a file: the workbench of a recorded run, with the page in the place of the kernel.

import cursors from "../core/cursor.js";
import feeds from "../core/feed.js";
import kernels from "../workbench/kernels.js";
import matching from "../workbench/matching.js";
import player from "../workbench/player.js";
import timeline from "../workbench/timeline.js";
import { buildWorkbench } from "../workbench/workbench.js";
import { Blocks } from "./blocks.js";
import { hostOf, PageModel } from "./model.js";
import { PageFeed } from "./page_feed.js";
import { showRecorded } from "./recorded.js";
import { buildAbout, buildBookmarks, buildCaption, buildPeople } from "./texts.js";

/** @import { Widget } from "../core/types.d.ts" */
/** @import { Extend } from "../workbench/workbench.js" */
/** @import { Contents } from "./contents.d.ts" */

const STILL = "page"; // as in html.py
const VIEWS = Object.entries({ player, matching, kernels, timeline });

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
  const feed = new PageFeed(contents, blocks);
  const cursor = new PageModel({ ...contents.shown });
  const shared = { _cursor: "cursor", _feed: "feed", _filmstrip: STILL };
  const noRender = async () => {};
  const host = hostOf({
    cursor: { exports: cursors.initialize({ model: cursor, signal }), render: noRender },
    feed: { exports: feeds.initialize({ model: feed, signal }), render: noRender },
    ...Object.fromEntries(
      VIEWS.map(([name, view]) => {
        const model = new PageModel(shared);
        const place = (/** @type {{ el: HTMLElement }} */ { el }) => view.render({ model, el, host, signal });
        return [name, { exports: {}, render: place }];
      }),
    ),
  });
  feed.send({ type: "hello" }); // as the stub does, before a view is here
  const parts = Object.fromEntries(VIEWS.map(([name]) => [`_${name}`, name]));

  /** @type {Extend} */
  const extend = (root, store, state) => {
    const about = buildAbout(contents, store);
    const marks = buildBookmarks(contents, store, state);
    const people = buildPeople(contents, (index) => feed.show(index));
    const header = () => about.update(contents.people.indexOf(feed.shown));
    let hasFocus = false;
    const paint = () => {
      if (!hasFocus) root.focus({ preventScroll: true }); // for the keys: on this page, nothing else wants them
      hasFocus = true;
    };
    store.add({ header, paint }, signal);
    store.add(marks.view, signal);
    const below = [...marks.elements, about.element];
    return { own: {}, without: ["copy"], above: [...buildCaption(contents), ...people], below };
  };
  const model = new PageModel({ ...shared, ...parts });
  await buildWorkbench({ model, el, host, signal }, { extend });
  await showRecorded(contents.views ?? [], { blocks, open, shared, host, el, signal });
}

export default /** @type {Widget} */ (/** @type {unknown} */ ({ render }));
