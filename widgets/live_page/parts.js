// Compressed parts of the page, and the worker's code, which is made of the page's own modules.

import { link } from "../core/loader.js";

/** @import { Module } from "../core/loader.js" */
/** @import { Provider } from "./types.d.ts" */

/** @typedef {Record<string, { content: number }>} Libraries by folder */
/** @typedef {{ info?: { isFallbackAdapter?: boolean } }} Adapter a graphics processor; the fallback is software */
/** @typedef {(id: number) => Uint8Array<ArrayBuffer>} Bytes of a block */

/**
 * @param {Uint8Array<ArrayBuffer>} block
 * @param {"gzip" | "deflate"} format
 */
export async function unpacked(block, format) {
  const stream = new Blob([block]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {Uint8Array<ArrayBuffer>} block @param {"gzip" | "deflate"} format */
const textOf = async (block, format) => new TextDecoder().decode(await unpacked(block, format));

/**
 * A module with all that it imports, each after those.
 * @param {string} name
 * @param {Map<string, Module>} modules
 */
export function closure(name, modules) {
  /** @type {Map<string, Module>} */
  const found = new Map();
  const visit = (/** @type {string} */ one) => {
    if (found.has(one)) return;
    const module = modules.get(one);
    if (!module) throw new Error(`the page has no module ${one}`);
    for (const other of Object.values(module.imports)) visit(other);
    found.set(one, module);
  };
  visit(name);
  return [...found.values()];
}

/**
 * What this browser can run the network with: WebGPU, where there is a graphics processor and WebAssembly can wait for it
 * (JSPI); else WebAssembly alone, which is faster than a graphics processor in software.
 * @returns {Promise<Provider>}
 */
export async function bestProvider() {
  const { gpu } = /** @type {{ gpu?: { requestAdapter: () => Promise<Adapter | null> } }} */ (navigator);
  if (!gpu || !("Suspending" in WebAssembly)) return "wasm";
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter && !adapter.info?.isFallbackAdapter ? "webgpu" : "wasm";
}

/**
 * A worker that runs ONNX Runtime Web. Nothing in it is loaded from an address: in a page from a file it could not be.
 * @param {number} runtime the block with the runtime's script
 * @param {Libraries} libraries
 * @param {Bytes} bytes
 */
export async function openWorker(runtime, libraries, bytes) {
  /** @type {Map<string, Module>} */
  const modules = new Map();
  for (const { content } of Object.values(libraries)) {
    const library = JSON.parse(await textOf(bytes(content), "deflate"));
    for (const module of library.modules) modules.set(module.name, module);
  }
  const code = [
    await textOf(bytes(runtime), "deflate"),
    link(closure("live_page/worker.js", modules), []),
    'modules["live_page/worker.js"].default(ort);',
  ];
  // A page from a file starts a module worker from no blob: address, but from a data: address it does.
  const text = encodeURIComponent(code.join("\n"));
  return new Worker(`data:text/javascript;charset=utf-8,${text}`, { type: "module" });
}
