// Keyboard shortcuts: the table, acceleration, modifiers, and keys that belong to what has the focus.

import { expect, test } from "vitest";
import { acceleration, actionOf, actions, keys, purpose, SHORTCUTS, SPEEDS } from "../../widgets/core/keys.js";
import { editorActions } from "../../widgets/studio/actions.js";
import { Editing } from "../../widgets/studio/editing.js";

/** @import { Actions } from "../../widgets/core/types.d.ts" */
/** @import { CursorState } from "../../widgets/core/cursor.js" */
/** @import { Store } from "../../widgets/core/store.js" */

/** An element that knows its tag, type and class; `matches` understands what keys.js asks. */
class PlainElement extends EventTarget {
  dataset = {};
  tabIndex = -1;
  focused = 0;

  constructor(tag = "section", type = "", name = "") {
    super();
    Object.assign(this, { tag, type, name });
    this.tag = tag;
    this.type = type;
    this.name = name;
  }

  /** @param {string} selectors */
  matches(selectors) {
    return selectors.split(",").some((selector) => {
      const [, tag, type, not] = /^(\w+)(?:\[type=(\w+)\])?(?::not\(\.([\w-]+)\))?$/.exec(selector.trim()) ?? [];
      return tag === this.tag && (!type || type === this.type) && (!not || not !== this.name);
    });
  }

  querySelector() {
    return null;
  }

  focus() {
    this.focused += 1;
  }
}

/** @param {PlainElement} element */
const asElement = (element) => /** @type {HTMLElement} */ (/** @type {unknown} */ (element));

function opened() {
  const root = new PlainElement();
  /** @type {Record<string, unknown>} */
  const values = {
    frame: 10,
    n_frames: 60,
    joint: "b",
    joint_names: ["a", "b", "c"],
    speed: 1,
    layers: { box: false },
    cell: null,
  };
  /** @type {unknown[][]} */
  const done = [];
  const cursor = {
    get: (/** @type {string} */ name) => values[name],
    set(/** @type {string} */ name, /** @type {unknown} */ value) {
      values[name] = value;
    },
    seek(/** @type {number} */ frame) {
      values.frame = frame;
    },
    step(/** @type {number} */ by) {
      done.push(["step", by]);
    },
    toggle: () => void done.push(["toggle"]),
    setLayer: (/** @type {string} */ name, /** @type {unknown} */ on) => void done.push([name, on]),
  };
  const store = {
    header: { worst: [[], [2, 14, 30]], starts: [24] },
    shown: {},
    joint: () => 1,
    cell: () => ({ x: 3, y: 4 }),
  };
  const ended = new AbortController();
  const given = {
    root: asElement(root),
    cursor: /** @type {CursorState} */ (/** @type {unknown} */ (cursor)),
    store: /** @type {Store} */ (/** @type {unknown} */ (store)),
  };
  /** @param {string} key @param {object} more */
  const press = (key, more = {}, target = root) => {
    const event = new Event("keydown", { cancelable: true });
    const plain = { key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more };
    for (const [name, value] of Object.entries(plain)) Object.defineProperty(event, name, { value });
    Object.defineProperty(event, "target", { value: target });
    root.dispatchEvent(event);
    return event.defaultPrevented;
  };
  return { ...given, plain: root, values, done, press, ended };
}

test("no key means two things, and each has a label and an action that is there", () => {
  const all = SHORTCUTS.flatMap((shortcut) => shortcut.keys);
  expect(new Set(all).size).toBe(all.length);
  const { root, store, cursor } = opened();
  const editor = editorActions(new Editing(store, cursor));
  const bench = ["help", "copy", "reinitialise", "latency", "fullscreen"];
  const known = new Set([...Object.keys(actions(root, store, cursor)), ...Object.keys(editor), ...bench]);
  for (const { action, labels } of SHORTCUTS) {
    expect(known).toContain(action.split(":")[0]);
    expect(labels.length).toBeGreaterThan(0);
  }
});

test("shift counts where the table says so; some keyboards need it to type the bare key", () => {
  expect(actionOf({ key: "ArrowLeft", shiftKey: false })).toEqual(["step", "-1"]);
  expect(actionOf({ key: "ArrowLeft", shiftKey: true })).toEqual(["step", "-5"]);
  expect(actionOf({ key: "J", shiftKey: true })).toEqual(["joint", "-1"]);
  expect(actionOf({ key: "J", shiftKey: false })).toEqual(["joint", "1"]); // caps lock
  expect(actionOf({ key: "=", shiftKey: true })).toEqual(["faster"]);
  expect(actionOf({ key: "?", shiftKey: true })).toEqual(["help"]);
  expect(actionOf({ key: "F5", shiftKey: false })).toBe(undefined);
});

test("Ctrl, ⌘ and Alt count only where the table names them", () => {
  const press = (/** @type {string} */ key, /** @type {object} */ held) => actionOf({ key, shiftKey: false, ...held });
  expect(press("z", { ctrlKey: true })).toEqual(["undo"]);
  expect(press("Z", { metaKey: true, shiftKey: true })).toEqual(["redo"]);
  expect(press("Z", { metaKey: true })).toEqual(["undo"]); // caps lock
  expect(press("ArrowLeft", { altKey: true })).toEqual(["nudge", "1"]);
  expect(press("ArrowLeft", { altKey: true, shiftKey: true })).toEqual(["nudge", "10"]);
  expect(press("n", { altKey: true })).toBe(undefined);
  expect(press("ArrowLeft", { ctrlKey: true })).toBe(undefined);
});

test("held keys accelerate, but only single steps", () => {
  expect([0, 11, 12, 29, 30, 59, 60, 500].map(acceleration)).toEqual([1, 1, 2, 2, 4, 4, 8, 8]);
  const { root, store, cursor, done } = opened();
  const act = actions(root, store, cursor);
  act.step("1", 40);
  act.step("-5", 40);
  act.step(-1);
  expect(done).toEqual([
    ["step", 4],
    ["step", -5],
    ["step", -1],
  ]);
});

test("a held key counts its repeats, and another one begins again", () => {
  const { root, store, cursor, done, press, ended } = opened();
  keys(root, store, cursor, ended.signal);
  press("ArrowRight");
  for (let i = 0; i < 12; i++) press("ArrowRight", { repeat: true });
  press("ArrowRight");
  expect(done.map(([, by]) => by)).toEqual([...Array(12).fill(1), 2, 1]);
});

test("a shortcut is kept from the page; with a modifier, or without a meaning, it is not", () => {
  const { root, store, cursor, press, ended } = opened();
  keys(root, store, cursor, ended.signal);
  expect(press("n")).toBe(true);
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) expect(press("n", { [modifier]: true })).toBe(false);
  expect(press("F5")).toBe(false);
  expect(press("c")).toBe(false); // the workbench's alone
  ended.abort();
  expect(press("n")).toBe(false);
});

test("what is typed into a field, and what an element does by itself, is no shortcut", () => {
  const { root, store, cursor, done, press, ended, plain } = opened();
  keys(root, store, cursor, ended.signal);
  const field = new PlainElement("input", "number");
  expect([press("5", {}, field), press("ArrowRight", {}, field)]).toEqual([false, false]);
  expect(plain.focused).toBe(0);
  press("Escape", {}, field);
  expect(plain.focused).toBe(1); // leaves the field
  expect(press(" ", {}, new PlainElement("button"))).toBe(false);
  expect(press("ArrowRight", {}, new PlainElement("input", "range"))).toBe(false);
  expect(done).toEqual([]);
  press("ArrowRight", {}, new PlainElement("input", "range", "dkd-slider"));
  press("n", {}, new PlainElement("button"));
  expect(done).toEqual([["step", 1]]);
});

test("what a key is for", () => {
  const of = (/** @type {PlainElement} */ element, /** @type {string} */ key) => purpose(asElement(element), key);
  expect(of(new PlainElement("select"), "j")).toBe("typing");
  expect(of(new PlainElement("input", "text"), " ")).toBe("typing");
  expect(of(new PlainElement("input", "checkbox"), " ")).toBe("own");
  expect(of(new PlainElement("input", "checkbox"), "j")).toBe("shortcut");
  expect(of(new PlainElement(), "Tab")).toBe("own");
});

test("jumps go to the next in the list, and nowhere after the last", () => {
  const { root, store, cursor, values } = opened();
  /** @type {Actions} */
  const act = actions(root, store, cursor);
  act.worst("1");
  expect(values.frame).toBe(14);
  act.start("1");
  expect(values.frame).toBe(24);
  act.start("1");
  expect(values.frame).toBe(24);
  act.worst("-1");
  expect(values.frame).toBe(14);
});

test("joints go round, speeds have ends, a pin is set at the explained cell and taken away", () => {
  const { root, store, cursor, values, done } = opened();
  /** @type {Actions} */
  const act = actions(root, store, cursor);
  act.joint("1");
  act.joint("1");
  expect(values.joint).toBe("a");
  for (let i = 0; i < SPEEDS.length; i++) act.faster("");
  expect(values.speed).toBe(SPEEDS.at(-1));
  for (let i = 0; i < 2 * SPEEDS.length; i++) act.slower("");
  expect(values.speed).toBe(SPEEDS[0]);
  act.pin("");
  expect(values.cell).toEqual([3, 4]);
  act.pin("");
  expect(values.cell).toBe(null);
  act.layer("box");
  expect(done).toEqual([["box", true]]);
});
