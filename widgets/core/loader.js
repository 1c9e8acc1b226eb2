// Links the modules of the libraries that Python sends. Each module becomes a Blob with an address of its own, made once
// per page for each content, so ten workbenches or two notebooks share it; DevTools shows it under its name in widgets/.

/** @import { Model, Widget } from "./types.d.ts" */

/**
 * A module as library.py sends it; `imports` maps each specifier to the key of the module that it means.
 * @typedef {{ name: string, key: string, source: string, imports: Record<string, string> }} Module
 */
/** @typedef {(id: string) => Promise<Model>} Find */

/** @type {Map<string, string>} */
const addresses = new Map(); // a module's key → its address
/** @type {Map<string, Promise<Map<string, string>>>} */
const opened = new Map(); // a library's key → the names of its modules and their addresses
const IMPORT = /^((?:import|export)\b[^"';]*?\bfrom )"([^"]+)"(?: with \{[^}]*\})?/gm; // as in assets.py

/**
 * The widget that a module of a library has as its default export, or makes if that is a function.
 * @param {Model} library
 * @param {Find} find gets a model of the page by its id
 * @param {string} name
 * @returns {Promise<Widget>}
 */
export async function load(library, find, name) {
  const modules = await open(library, find);
  const made = (await import(String(modules.get(name)))).default;
  return typeof made === "function" ? made() : made;
}

/**
 * @param {Model} library
 * @param {Find} find
 * @returns {Promise<Map<string, string>>}
 */
function open(library, find) {
  const key = library.get("key");
  const known = opened.get(key);
  if (known) return known;
  const opening = bring(library, find);
  opened.set(key, opening);
  opening.catch(() => opened.delete(key)); // the next widget tries again
  return opening;
}

/**
 * @param {Model} library
 * @param {Find} find
 */
async function bring(library, find) {
  /** @type {string[]} */
  const needs = library.get("needs");
  const [{ modules, css }] = await Promise.all([
    unpacked(library.get("content")),
    ...needs.map(async (id) => open(await find(id), find)),
  ]);
  if (css) {
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
  }
  for (const module of modules) if (!addresses.has(module.key)) addresses.set(module.key, preloaded(address(module)));
  return new Map(modules.map(({ name, key }) => [name, String(addresses.get(key))]));
}

/**
 * @param {DataView<ArrayBuffer>} bytes
 * @returns {Promise<{ modules: Module[], css: string }>}
 */
async function unpacked(bytes) {
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  writer.write(bytes);
  writer.close();
  return new Response(stream.readable).json();
}

/**
 * Let the browser fetch a module now, and not only once those that import it were read.
 * @param {string} url
 */
function preloaded(url) {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = url;
  document.head.append(link);
  return url;
}

/**
 * Make a module of a source; those that it imports have their addresses already.
 * @param {Module} module
 */
function address({ name, source, imports }) {
  const linked = name.endsWith(".json")
    ? `export default ${source}`
    : source.replace(IMPORT, (_, head, specifier) => `${head}"${addresses.get(imports[specifier])}"`);
  return URL.createObjectURL(new Blob([linked, `\n//# sourceURL=dkd/widgets/${name}`], { type: "text/javascript" }));
}
