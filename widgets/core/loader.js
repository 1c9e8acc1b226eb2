// Links the modules of the libraries that Python sends. A library becomes one module of the page, made once for each
// content, so ten workbenches or two notebooks share it. One Blob per file would do, too, but the browser takes longer to
// make fifty of them than to run all the code. A source map tells DevTools which line is which in widgets/.

/** @import { Model, Widget } from "./types.d.ts" */

/**
 * A module as library.py sends it; `imports` maps each specifier to the name of the module that it means.
 * @typedef {{ name: string, source: string, imports: Record<string, string> }} Module
 */
/** @typedef {Record<string, Record<string, unknown>>} Modules name of each module → what it exports */
/** @typedef {{ url: string, modules: Modules }} Linked */
/** @typedef {(id: string) => Promise<Model>} Find */

/** @type {Map<string, Promise<Linked>>} */
const opened = new Map(); // a library's key → the module that it became
const IMPORT = /^import (\* as \w+|\w+|\{[^}]*\}) from "([^"]+)"(?: with \{[^}]*\})?;/gm; // as in assets.py
const EXPORT = /^export ((?:async )?function\*? ?|const |let |class )(\w+)/gm;

/**
 * The widget that a module of a library has as its default export, or makes if that is a function.
 * @param {Model} library
 * @param {Find} find gets a model of the page by its id
 * @param {string} name
 * @returns {Promise<Widget>}
 */
export async function load(library, find, name) {
  const { modules } = await open(library, find);
  const made = modules[name].default;
  return /** @type {Widget} */ (typeof made === "function" ? made() : made);
}

/**
 * @param {Model} library
 * @param {Find} find
 * @returns {Promise<Linked>}
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
  const [{ modules, css }, ...needed] = await Promise.all([
    unpacked(library.get("content")),
    ...needs.map(async (id) => open(await find(id), find)),
  ]);
  if (css) {
    const style = document.createElement("style");
    style.textContent = css;
    style.dataset.dkdCss = library.get("key");
    document.head.append(style);
  }
  const addresses = needed.map((other) => other.url);
  const code = new Blob([link(modules, addresses)], { type: "text/javascript" });
  const url = URL.createObjectURL(code);
  return { url, modules: /** @type {Modules} */ ((await import(url)).modules) };
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
 * One module of many, each in a scope of its own and after those that it imports. It exports `modules`: what each of
 * them exports, by name, with those of the libraries at the given addresses.
 * @param {Module[]} modules
 * @param {string[]} addresses
 */
export function link(modules, addresses) {
  const needed = addresses.map((url, i) => `import { modules as m${i} } from "${url}";`);
  const all = addresses.map((_, i) => `...m${i}`).join(", ");
  const first = `${needed.join(" ")} export const modules = { ${all} };`;
  const scopes = modules.map(scope);
  const folder = modules[0]?.name.split("/")[0];
  const map = encodeURIComponent(JSON.stringify(sourceMap(modules, scopes)));
  const last = [`//# sourceURL=dkd/widgets/${folder}`, `//# sourceMappingURL=data:application/json,${map}`];
  return [first, ...scopes, ...last].join("\n");
}

/**
 * A module as a statement that keeps its lines: what it imports is taken from `modules`, what it exports put there.
 * @param {Module} module
 */
export function scope({ name, source, imports }) {
  const place = `modules[${JSON.stringify(name)}]`;
  if (name.endsWith(".json")) return `${place} = { default: ${source.trim()} };`;
  /** @type {string[]} */
  const exported = [];
  const body = source
    .replace(IMPORT, (_, what, specifier) => `const ${binding(what)} = modules[${JSON.stringify(imports[specifier])}];`)
    .replace(EXPORT, (_, kind, given) => {
      exported.push(given);
      return kind + given;
    })
    .replace(/^export default /m, () => {
      exported.push("default: made");
      return "const made = ";
    });
  return `${place} = (() => { ${body}\nreturn { ${exported.join(", ")} }; })();`;
}

/**
 * `{ a, b as c }`, `all` or `* as all` of an import as what is declared.
 * @param {string} what
 */
function binding(what) {
  if (what.startsWith("{")) return what.replaceAll(" as ", ": ");
  return what.startsWith("*") ? what.slice("* as ".length) : `{ default: ${what} }`;
}

/**
 * Lines of the linked text to lines of the files.
 * @param {Module[]} modules
 * @param {string[]} scopes
 */
function sourceMap(modules, scopes) {
  let line = 1; // after the imports
  const sections = modules.map(({ name, source }, i) => {
    const offset = { line, column: 0 };
    line += scopes[i].split("\n").length;
    const mappings = source.split("\n").map((_, k) => (k ? "AACA" : "AAAA")); // the same column of the next line
    const sources = [`dkd/widgets/${name}`];
    return { offset, map: { version: 3, sources, sourcesContent: [source], names: [], mappings: mappings.join(";") } };
  });
  return { version: 3, sections };
}
