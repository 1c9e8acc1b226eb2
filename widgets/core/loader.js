// Links the modules of the libraries that Python sends. Each module becomes a Blob with an address of its own, made once
// per page for each content, so ten workbenches or two notebooks share it; DevTools shows it under its name in widgets/.

const addresses = new Map(); // module's key → its address
const opened = new Map(); // library's key → promise of Map(name → address)
const IMPORT = /^((?:import|export)\b[^"';]*?\bfrom )"([^"]+)"(?: with \{[^}]*\})?/gm; // as in assets.py

// The default export of the module `name` of a library. find(id) is the page's model with that id.
export async function load(library, find, name) {
  const modules = await open(library, find);
  return (await import(modules.get(name))).default;
}

function open(library, find) {
  const key = library.get("key");
  if (!opened.has(key)) {
    const opening = bring(library, find);
    opened.set(key, opening);
    opening.catch(() => opened.delete(key)); // the next widget tries again
  }
  return opened.get(key);
}

async function bring(library, find) {
  const [{ modules, css }] = await Promise.all([
    unpacked(library.get("content")),
    ...library.get("needs").map(async (id) => open(await find(id), find)),
  ]);
  if (css) {
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
  }
  for (const module of modules) if (!addresses.has(module.key)) addresses.set(module.key, address(module));
  return new Map(modules.map(({ name, key }) => [name, addresses.get(key)]));
}

async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

// Modules come after those that they import.
function address({ name, source, imports }) {
  const linked = name.endsWith(".json")
    ? `export default ${source}`
    : source.replace(IMPORT, (_, head, specifier) => `${head}"${addresses.get(imports[specifier])}"`);
  return URL.createObjectURL(new Blob([linked, `\n//# sourceURL=dkd/widgets/${name}`], { type: "text/javascript" }));
}
