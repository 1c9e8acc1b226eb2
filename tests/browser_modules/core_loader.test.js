// The linker: modules in one, each in a scope of its own, with all lines where they were.

import { expect, test } from "vitest";
import { link, scope } from "../../widgets/core/loader.js";

/** @import { Module } from "../../widgets/core/loader.js" */

/**
 * @param {string} name
 * @param {string} source
 * @param {Record<string, string>} imports
 * @returns {Module}
 */
const module = (name, source, imports = {}) => ({ name, source, imports });

/** @param {string} code */
const run = async (code) => (await import(/* @vite-ignore */ address(code))).modules;
const address = (/** @type {string} */ code) => `data:text/javascript,${encodeURIComponent(code)}`;

const DOM = module(
  "core/dom.js",
  `// Elements.
export const one = 1;
export function twice(x) {
  return 2 * x * hidden();
}
export class Box {}
export async function later() {}
export function* many() {
  yield* [1, 2];
}
const hidden = () => one;
`,
);
const TABLES = module("core/tables.json", '{ "speeds": [1, 2] }\n');
const VIEW = module(
  "view/all.js",
  `// A view.

import tables from "../core/tables.json" with { type: "json" };
import {
  one,
  twice as double,
} from "../core/dom.js";
import * as dom from "../core/dom.js";

const hidden = "mine";
export default { render: () => [double(3), hidden, one, tables.speeds[1], Object.keys(dom).sort()] };
`,
  { "../core/dom.js": "core/dom.js", "../core/tables.json": "core/tables.json" },
);

test("what is exported is there by name, what is not stays hidden", async () => {
  const modules = await run(link([DOM, TABLES], []));
  expect(Object.keys(modules["core/dom.js"])).toEqual(["one", "twice", "Box", "later", "many"]);
  expect(modules["core/dom.js"].twice(4)).toBe(8);
  expect([...modules["core/dom.js"].many()]).toEqual([1, 2]);
  expect(modules["core/tables.json"].default).toEqual({ speeds: [1, 2] });
});

test("a library takes what it imports from another one, under any name", async () => {
  const modules = await run(link([VIEW], [address(link([DOM, TABLES], []))]));
  expect(modules["view/all.js"].default.render()).toEqual([6, "mine", 1, 2, ["Box", "later", "many", "one", "twice"]]);
});

test("every line stays where it was, and the source map says so", () => {
  const text = link([DOM, VIEW], []);
  const lines = text.split("\n");
  const map = JSON.parse(decodeURIComponent(text.split("sourceMappingURL=data:application/json,")[1]));
  expect(map.sections).toHaveLength(2);
  for (const [i, { source, name }] of [DOM, VIEW].entries()) {
    const { offset, map: part } = map.sections[i];
    expect([part.sources[0], part.sourcesContent[0]]).toEqual([`dkd/widgets/${name}`, source]);
    expect(part.mappings.split(";")).toHaveLength(source.split("\n").length);
    const own = source.split("\n");
    expect(lines[offset.line + own.findIndex((line) => line.includes("hidden = "))]).toContain("hidden = ");
    expect(lines[offset.line]).toContain(own[0]);
  }
});

test("the modules of widgets/ can all be read after they are linked", () => {
  /** @type {Record<string, string>} */
  const sources = import.meta.glob("../../widgets/*/*.js", { query: "?raw", import: "default", eager: true });
  for (const [path, source] of Object.entries(sources)) {
    const text = scope(module(path, source));
    expect(text).not.toMatch(/^(import|export)\b/m);
    expect(text.split("\n").length).toBe(source.split("\n").length + 1);
    new Function("modules", text); // a syntax error would be thrown here
  }
  expect(Object.keys(sources).length).toBeGreaterThan(50);
});
