// A view of a page besides the workbench: its module gets the answers that Python gave when the page was written.

import { h } from "../core/dom.js";
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
  constructor({ traits, keys, lists, answers }, blocks, shared) {
    super({ ...shared, ...traits, _recorded: true });
    this.keys = keys;
    this.lists = lists;
    this.answers = answers;
    this.blocks = blocks;
  }

  /** @param {Message} content */
  send(content) {
    void this.answer(content).then(
      (message) => message && this.emit("msg:custom", { ...message, ...content, type: message.type }, []),
      (error) => this.set("_error", `The file is damaged: ${error.message}. Ask for it again.`),
    );
  }

  /**
   * What Python would answer; null where the page does not have it.
   * @param {Message} content
   * @returns {Promise<Message | null>}
   */
  async answer(content) {
    const { type } = content;
    if (type in this.lists) {
      const [list, names] = this.lists[type];
      const parts = await Promise.all(names.map((name) => this.stored([type, name, content[name]])));
      return parts.includes(null) ? null : { type, [list]: parts.map((part) => part?.item) };
    }
    return this.stored([type, ...(this.keys[type] ?? []).map((name) => content[name] ?? "")]);
  }

  /** @param {unknown[]} parts of its key */
  async stored(parts) {
    const key = parts.join("/");
    return key in this.answers ? this.blocks.message(this.answers[key]) : null;
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
    const place = h("div", { class: "dkd-page-view" });
    el.append(place);
    if (view.note) place.append(h("p", { class: "dkd-page-note" }, view.note));
    const model = new Recorded(view, blocks, shared);
    await widget.render?.(/** @type {Context} */ ({ model, el: place, host, signal }));
  }
}
