// What a widget's model is in a page from a file: values and events, and nobody behind them.

/** @import { Host, Manager, Model } from "../core/types.d.ts" */

/** @implements {Model} */
export class PageModel {
  /** @param {Record<string, unknown>} values */
  constructor(values) {
    this.values = new Map(Object.entries(values));
    /** @type {Map<string, Set<(...given: any[]) => void>>} */
    this.listeners = new Map();
    /** @type {Manager} */
    this.widget_manager = { get_model: async (id) => Promise.reject(new Error(`a page has no model ${id}`)) };
  }

  /** @param {string} name @returns {any} */
  get(name) {
    return this.values.get(name);
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    this.emit(`change:${name}`);
  }

  save_changes() {}

  /** @param {object} _content */
  send(_content) {}

  /** @param {string} event @param {(...given: any[]) => void} callback */
  on(event, callback) {
    const heard = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, heard.add(callback));
  }

  /** @param {string} event @param {(...given: any[]) => void} callback */
  off(event, callback) {
    this.listeners.get(event)?.delete(callback);
  }

  /** @param {string} event @param {...unknown} given */
  emit(event, ...given) {
    for (const callback of this.listeners.get(event) ?? []) callback(...given);
  }
}

/**
 * Where widgets find each other, by the names that their models hold.
 * @param {Record<string, Awaited<ReturnType<Host["getWidget"]>>>} widgets
 * @returns {Host}
 */
export const hostOf = (widgets) => ({ getWidget: async (name) => widgets[name] });
