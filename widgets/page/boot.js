// What a page from a file runs: it links the modules that stand in the page, and starts the views. html.py puts it into
// the page as a script, and allows it there by its hash.

/** @import { Model } from "../core/types.d.ts" */

/** @typedef {{ key: string, needs: string[], content: number }} Packed */

export default async () => {
  const text = (/** @type {string | number} */ id) => document.getElementById(`dkd-${id}`)?.textContent ?? "";
  const bytes = (/** @type {number} */ id) => {
    const { fromBase64 } = /** @type {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} */ (
      /** @type {unknown} */ (Uint8Array)
    );
    // In browsers without it this takes three times as long.
    return fromBase64?.call(Uint8Array, text(id)) ?? Uint8Array.from(atob(text(id)), (c) => c.charCodeAt(0));
  };
  const el = /** @type {HTMLElement} */ (document.getElementById("dkd-page"));
  try {
    const contents = JSON.parse(text("contents"));
    const find = async (/** @type {string} */ folder) => {
      /** @type {Packed} */
      const { key, needs, content } = contents.libraries[folder];
      const values = new Map(Object.entries({ key, needs, content: bytes(content) }));
      return /** @type {Model} */ (/** @type {unknown} */ ({ get: (/** @type {string} */ name) => values.get(name) }));
    };
    const loader = URL.createObjectURL(new Blob([contents.loader[1]], { type: "text/javascript" }));
    const { load } = await import(/* @vite-ignore */ loader);
    const open = async (/** @type {string} */ name) => load(await find(name.split("/")[0]), find, name);
    const page = await open(contents.start);
    await page.render({ contents, bytes, el, open });
  } catch (error) {
    const line = document.createElement("p");
    line.role = "alert";
    line.textContent = `This browser cannot show the page (${error}). Open it in a current Chrome, Edge or Firefox.`;
    el.append(line);
  }
};
