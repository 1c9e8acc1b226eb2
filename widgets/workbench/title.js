// The title bar: what is shown, and buttons for what has no place of its own.

import { h } from "../core/dom.js";
import { REFINED } from "../core/text.js";

/** @import { Actions, Header } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */

/**
 * @param {Store} store
 * @param {Actions} act
 * @param {HTMLElement[]} before what comes before the buttons
 * @param {HTMLElement[]} after and after them
 */
export function buildTitle(store, act, before, after) {
  const clip = h("strong");
  const facts = h("span", { class: "dkd-muted" });
  const warned = h("span", { class: "dkd-warned", role: "note", tabindex: "0", hidden: true });
  const latency = h("span", {
    class: "dkd-latency",
    hidden: true,
    title: "From your last move to the painted frame: median, and the slowest twentieth, of the last 200 moves",
  });
  const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {string} */ action) =>
    h("button", { class: "dkd-text", title: label, onclick: () => act[action]("") }, text);
  const element = h(
    "div",
    { class: "dkd-title" },
    clip,
    facts,
    warned,
    h("span", { class: "dkd-space" }),
    ...before,
    latency,
    button("latency", "Latency read-out (L)", "latency"),
    ...(act.copy ? [button("copy as Python", "Copy this view as Python (C)", "copy")] : []),
    button("? keys", "Keyboard shortcuts (?)", "help"),
    ...after,
  );
  return {
    element,
    toggleLatency() {
      latency.hidden = !latency.hidden;
    },
    /** @param {Header} header */
    header(header) {
      clip.textContent = header.clip;
      const size = header.size.join("×");
      clip.title = `${size} pixels, ${header.n_frames} frames, ${header.rate}`;
      const sentences = header.warnings.map(({ text }) => text);
      warned.hidden = !sentences.length;
      warned.textContent = `! ${sentences.length === 1 ? "a warning" : `${sentences.length} warnings`} about the video`;
      warned.title = sentences.join("\n");
      warned.setAttribute("aria-label", `Warnings about the video: ${sentences.join(". ")}`);
      const by = header.is_track ? `${header.model}, a track of another tool` : `${header.model} in ${header.engine}`;
      const refined = header.refined ? `, ${REFINED}` : "";
      facts.textContent = `${by}${refined} · ${size}, ${header.rate} · read by ${header.backend}`;
    },
    paint() {
      if (latency.hidden) return;
      const sorted = [...store.latencies].sort((a, b) => a - b);
      const at = (/** @type {number} */ share) =>
        sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "–";
      latency.textContent = `${at(0.5)} ms, slowest ${at(0.95)} ms`;
    },
  };
}
