// A workbench of the page: the notebook's modules on the page's cursor, with what a feed of the page shows.

import feeds from "../core/feed.js";
import kernels from "../workbench/kernels.js";
import matching from "../workbench/matching.js";
import player from "../workbench/player.js";
import timeline from "../workbench/timeline.js";
import { buildWorkbench } from "../workbench/workbench.js";
import { PageModel } from "./model.js";

/** @import { Host } from "../core/types.d.ts" */
/** @import { Extend } from "../workbench/workbench.js" */
/** @import { PageFeed } from "./page_feed.js" */

export const STILL = "page"; // as in html.py
const VIEWS = Object.entries({ player, matching, kernels, timeline });

/**
 * @param {object} given
 * @param {Record<string, Awaited<ReturnType<Host["getWidget"]>>>} given.widgets of the page by name, with its cursor
 * @param {Host} given.host finds them
 * @param {PageFeed} given.feed
 * @param {string} given.name of the feed
 * @param {HTMLElement} given.el
 * @param {string} [given.run] its name, where there are others
 * @param {AbortSignal} given.signal
 * @param {Extend} given.extend
 */
export async function showBench({ widgets, host, feed, name, el, run, signal, extend }) {
  const shared = { _cursor: "cursor", _feed: name, _filmstrip: STILL, _run_name: run };
  widgets[name] = { exports: feeds.initialize({ model: feed, signal }), render: async () => {} };
  for (const [view, { render }] of VIEWS) {
    const model = new PageModel(shared);
    const place = (/** @type {{ el: HTMLElement }} */ { el }) => render({ model, el, host, signal });
    widgets[`${name} ${view}`] = { exports: {}, render: place };
  }
  void feed.send({ type: "hello" }); // as the stub does, before a view is here
  const parts = Object.fromEntries(VIEWS.map(([view]) => [`_${view}`, `${name} ${view}`]));
  const label = run ? `Workbench, ${run}` : "Workbench";
  await buildWorkbench({ model: new PageModel({ ...shared, ...parts }), el, host, signal }, { label, extend });
}
