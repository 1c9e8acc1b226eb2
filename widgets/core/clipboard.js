// Text out of a widget: to the clipboard, or as a file. Neither needs the kernel.

import { h } from "./dom.js";

const KEPT_MS = 10_000; // a download's address

/**
 * @param {string} text
 * @param {HTMLElement} root
 * @returns {Promise<boolean>} whether it could be copied; where the browser forbids it, the text stands selected in a
 *   field for Ctrl-C
 */
export async function copyText(text, root) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    root.querySelector(".dkd-copy-field")?.remove();
    const field = h("textarea", { class: "dkd-copy-field", readonly: true, rows: 4, "aria-label": "Text to copy" });
    field.value = text;
    root.append(field);
    field.focus();
    field.select();
    if (document.execCommand("copy")) {
      field.remove();
      return true;
    }
    field.addEventListener("blur", () => field.remove());
    return false;
  }
}

/**
 * @param {string} text
 * @param {string} name of the file
 * @param {string} type MIME type
 */
export function downloadText(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = h("a", { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
