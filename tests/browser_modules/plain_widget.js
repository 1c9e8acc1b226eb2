// A widget's model, a cursor and a store that only remember what they were told: what a view's state needs of them.

/** @import { CursorState } from "../../widgets/core/cursor.js" */
/** @import { Store } from "../../widgets/core/store.js" */
/** @import { Model, Numbers } from "../../widgets/core/types.d.ts" */

/**
 * `sent` has the messages to Python; `tell` is a message of Python's, which `isGone` takes away.
 * @typedef {Model & { sent: any[], isGone: boolean, tell(content: object, buffers?: DataView[]): void }} PlainModel
 */
/** @typedef {Store & { said: string, paintings: number }} PlainStore */

/**
 * A model with the given traits.
 * @param {Record<string, unknown>} traits
 * @returns {PlainModel}
 */
export function plainModel(traits = {}) {
  /** @type {Map<string, ((...given: any[]) => void)[]>} */
  const listeners = new Map();
  const values = { ...traits };
  const of = (/** @type {string} */ event) => listeners.get(event) ?? [];
  return {
    sent: [],
    isGone: false,
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      for (const listener of of(`change:${name}`)) listener();
    },
    save_changes() {},
    send(content) {
      if (this.isGone) throw new Error("the comm is closed");
      this.sent.push(content);
    },
    on: (event, listener) => listeners.set(event, [...of(event), listener]),
    off: (event, listener) =>
      listeners.set(
        event,
        of(event).filter((other) => other !== listener),
      ),
    tell: (content, buffers = []) => {
      for (const listener of of("msg:custom")) listener(content, buffers);
    },
    widget_manager: { get_model: () => Promise.reject(new Error("there is no other widget")) },
  };
}

/**
 * A cursor over a clip of `n_frames` frames.
 * @param {Record<string, unknown>} traits
 */
export function plainCursor(traits = {}) {
  /** @type {Record<string, unknown>} */
  const values = { frame: 0, joint: "head", range: null, n_frames: 60, ...traits };
  /** @type {((name: string) => void)[]} */
  const listeners = [];
  const cursor = {
    on: (/** @type {(name: string) => void} */ listener) => void listeners.push(listener),
    get: (/** @type {string} */ name) => values[name],
    set(/** @type {string} */ name, /** @type {unknown} */ value) {
      values[name] = value;
      for (const listener of listeners) listener(name);
    },
    seek(/** @type {number} */ frame) {
      values.frame = frame;
    },
  };
  return /** @type {CursorState} */ (/** @type {unknown} */ (cursor));
}

/**
 * A store with the header of a trace; `said` is what it says under the views.
 * @param {object} header
 */
export function plainStore(header) {
  const store = {
    header,
    said: "",
    paintings: 0,
    say(/** @type {string} */ text) {
      this.said = text;
    },
    schedule() {
      this.paintings += 1;
    },
  };
  return /** @type {PlainStore} */ (/** @type {unknown} */ (store));
}

/**
 * A message as Python writes it: its content, and arrays by their paths in it.
 * @param {Record<string, unknown>} content
 * @param {[path: (string | number)[], values: Numbers][]} arrays
 * @returns {[Record<string, unknown>, DataView[]]}
 */
export function message(content, arrays) {
  const dtype = (/** @type {object} */ values) => values.constructor.name.replace("Array", "").toLowerCase();
  const parts = arrays.map(([path, values]) => [path, dtype(values), [values.length]]);
  return [structuredClone({ ...content, parts }), arrays.map(([, values]) => new DataView(values.buffer))];
}
