// A view of a page besides the workbench: its module gets the answers that Python gave when the page was written.

import { PageModel } from "./model.js";

/** @import { Context, Host, Message, Widget } from "../core/types.d.ts" */
/** @import { Blocks } from "./blocks.js" */
/** @import { RecordedView } from "./contents.d.ts" */

export class Recorded extends PageModel {
  /**
   * @param {RecordedView} view
   * @param {Blocks} blocks
   * @param {Record<string, unknown>} shared
   */
  constructor({ traits, keys, answers }, blocks, shared) {
    super({ ...shared, ...traits, _recorded: true });
    this.keys = keys;
    this.answers = answers;
    this.blocks = blocks;
  }

  /** @param {Message} content */
  send(content) {
    const names = this.keys[content.type] ?? [];
    const key = [content.type, ...names.map((name) => content[name] ?? "")].join("/");
    if (!(key in this.answers)) return;
    void this.blocks.message(this.answers[key]).then(
      (message) => this.emit("msg:custom", { ...message, ...content, type: message.type }, []),
      (error) => this.set("_error", `The file is damaged: ${error.message}. Ask for it again.`),
    );
  }
}

/**
 * Show the recorded views below the workbench.
 * @param {RecordedView[]} views
 * @param {object} page
 * @param {Blocks} page.blocks
 * @param {(module: string) => Promise<Widget>} page.open
 * @param {Record<string, unknown>} page.shared
 * @param {Host} page.host
 * @param {HTMLElement} page.el
 * @param {AbortSignal} page.signal
 */
export async function showRecorded(views, { blocks, open, shared, host, el, signal }) {
  for (const view of views) {
    const widget = await open(view.module);
    const place = document.createElement("div");
    place.className = "dkd-page-view";
    el.append(place);
    const model = new Recorded(view, blocks, shared);
    await widget.render?.(/** @type {Context} */ ({ model, el: place, host, signal }));
  }
}
