// The gallery of a page: the notebook's tiles; a click shows the moment's video, where the page has it.

import { h } from "../core/dom.js";
import { PageModel } from "./model.js";

/** @import { CursorState } from "../core/cursor.js" */
/** @import { Context, Message, Widget } from "../core/types.d.ts" */
/** @import { Blocks } from "./blocks.js" */
/** @import { Contents, Gallery } from "./contents.d.ts" */
/** @import { PageFeed } from "./page_feed.js" */

/** @typedef {(key: string) => void} Open */

/** @type {("n_frames" | "joint_names" | "frame" | "joint" | "cell" | "range")[]} */
const NAMES = ["n_frames", "joint_names", "frame", "joint", "cell", "range"]; // of the cursor, that another video sets

class GalleryModel extends PageModel {
  /**
   * @param {Record<string, unknown>} values
   * @param {Open} opened
   */
  constructor(values, opened) {
    super(values);
    this.opened = opened;
  }

  /** @param {Message} content */
  send({ type, key }) {
    if (type === "open") this.opened(key);
  }
}

/**
 * Show the tiles above the workbench.
 * @param {Gallery} gallery
 * @param {object} page
 * @param {Contents} page.contents
 * @param {PageFeed} page.feed
 * @param {CursorState} page.cursor
 * @param {Blocks} page.blocks
 * @param {(module: string) => Promise<Widget>} page.open
 * @param {HTMLElement} page.el
 * @param {AbortSignal} page.signal
 */
export async function showGallery(gallery, { contents, feed, cursor, blocks, open, el, signal }) {
  const { people } = contents;
  const [widget, { items }] = await Promise.all([open(gallery.module), blocks.message(gallery.items)]);
  const videos = `of ${people.length} of ${items.length} moments`;
  const absent = `The video of this moment is not in this page: it has those ${videos}.`;
  const model = new GalleryModel(
    { ...gallery.traits, _items: items, _opened: people[0].name, _message: "", _code: "" },
    (key) => void show(key),
  );

  /** @param {string} key */
  async function show(key) {
    const index = people.findIndex(({ name }) => name === key);
    model.set("_message", index < 0 ? absent : "");
    if (index < 0) return;
    model.set("_opened", key);
    cursor.set("playing", false);
    await feed.show(index); // first: the store must know the other clip before the cursor moves
    if (feed.shown !== people[index]) return; // another one was opened meanwhile
    const { shown } = people[index];
    if (shown) for (const name of NAMES) cursor.set(name, shown[name]);
  }

  const place = h("div", { class: "dkd-page-view" });
  place.append(
    h("p", { class: "dkd-page-note" }, `A click on a tile shows its video below; this page has those ${videos}.`),
  );
  el.append(place);
  await widget.render?.(/** @type {Context} */ (/** @type {unknown} */ ({ model, el: place, signal })));
}
