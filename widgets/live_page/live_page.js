// A page in which the model itself runs: the workbench of a run that is computed here, with the page in the place of the
// kernel and a worker in the place of Python.

import cursors from "../core/cursor.js";
import { h } from "../core/dom.js";
import feeds from "../core/feed.js";
import { mount } from "../core/mount.js";
import { followTheme } from "../core/theme.js";
import { hostOf, PageModel } from "../page/model.js";
import kernels from "../workbench/kernels.js";
import matching from "../workbench/matching.js";
import { buildPlayer } from "../workbench/player.js";
import timeline from "../workbench/timeline.js";
import { buildWorkbench } from "../workbench/workbench.js";
import { buildAbout } from "./about.js";
import { buildCalls } from "./calls.js";
import { buildChanges, buildKernels, dragging } from "./changing.js";
import { LiveFeed } from "./live_feed.js";
import { bestProvider, openWorker, unpacked } from "./parts.js";
import { Run } from "./run.js";
import { Sources } from "./sources.js";

/** @import { Context, Widget } from "../core/types.d.ts" */
/** @import { Extend } from "../workbench/workbench.js" */
/** @import { Libraries } from "./parts.js" */
/** @import { Cover, LiveContents, Provider } from "./types.d.ts" */

const STILL = "page"; // as in html.py
const FAR = 1e9; // the last frame of what has no end

/**
 * @param {{ contents: LiveContents & { libraries: Libraries }, bytes: (id: number) => Uint8Array<ArrayBuffer>,
 *   el: HTMLElement }} given
 */
async function render({ contents, bytes, el }) {
  const { signal } = new AbortController(); // never ends: the page does
  const { facts, runtime, sample } = contents;
  const start = (/** @type {Provider} */ provider) => openWorker(runtime[provider].script, contents.libraries, bytes);
  const provider = await bestProvider();
  const run = new Run(facts, await start(provider));
  const cursor = new PageModel({ ...contents.shown });
  const state = cursors.initialize({ model: cursor, signal });
  const here = () => state.cursor.get("frame");
  const feed = new LiveFeed(run, engineOf(runtime.version, provider), here, (count) => {
    const isFollowing = here() >= cursor.get("n_frames") - 1 && !state.cursor.get("playing");
    cursor.set("n_frames", count);
    const isLast = isFollowing && !run.list.some(({ kind }) => kind === "edit"); // an edit is watched where it acts
    if (isLast || here() >= count) state.cursor.set("frame", count - 1);
  });
  const sources = new Sources(run, sample, bytes, signal);
  run.listeners.add((message) => {
    if (message.type === "changed" && !run.frames.length) state.cursor.set("frame", 0);
  });
  el.prepend(sources.bar.element);
  followTheme(sources.bar.element, signal);

  const changes = buildChanges(run);
  run.listeners.add(({ type }) => type === "changed" && changes.update());
  /** @type {(box: import("./squares.js").Box) => void} */
  const chosen = (box) => {
    const frame = here();
    const kind = changes.tool();
    if (kind === "box") return run.change({ kind, frame, box });
    /** @type {Cover} */
    const cover = { kind, box, from: frame, to: FAR };
    run.change({ kind: "cover", frame, cover });
  };
  const player = {
    render: (/** @type {Context} */ context) =>
      mount(context, "player", "Player", (root, store, at, until) =>
        buildPlayer(root, store, at, until, dragging(store, chosen, until)),
      ),
  };
  const views = Object.entries({ player, matching, kernels, timeline });
  const shared = { _cursor: "cursor", _feed: "feed", _filmstrip: STILL };
  const noRender = async () => {};
  const host = hostOf({
    cursor: { exports: state, render: noRender },
    feed: { exports: feeds.initialize({ model: feed, signal }), render: noRender },
    ...Object.fromEntries(
      views.map(([name, view]) => {
        const model = new PageModel(shared);
        const place = async (/** @type {{ el: HTMLElement }} */ { el }) => {
          await view.render({ model, el, host, signal });
        };
        return [name, { exports: {}, render: place }];
      }),
    ),
  });
  /** @type {Extend} */
  const extend = (root, store, at) => {
    Object.assign(root, { dkdLive: { run, feed } }); // for tests and a curious console
    const editor = buildKernels(root, store, run, signal);
    const calls = buildCalls(contents.forms, store, at, run, signal);
    const laboratory = h("div", { class: "dkd-live-page-laboratory" }, editor, calls);
    return { own: {}, without: ["copy"], above: [changes.element], below: [laboratory, buildAbout(contents)] };
  };
  const model = new PageModel({ ...shared, ...Object.fromEntries(views.map(([name]) => [`_${name}`, name])) });
  await buildWorkbench({ model, el, host, signal }, { label: "Live page", extend });
  run.listeners.add((message) => {
    if (message.type !== "unable") return;
    if (feed.engine !== engineOf(runtime.version, "webgpu")) {
      run.tell({ type: "failed", message: message.message });
      return;
    }
    console.info(`the network does not run on WebGPU (${message.message}): WebAssembly is used`);
    feed.engine = engineOf(runtime.version, "wasm");
    void start("wasm").then((worker) => {
      run.move(worker);
      return begin(run, "wasm", contents, bytes);
    });
  });
  await begin(run, provider, contents, bytes);
  sources.begin();
}

/** @type {(version: string, provider: Provider) => string} */
const engineOf = (version, provider) =>
  `ONNX Runtime Web ${version} on ${provider === "webgpu" ? "WebGPU" : "WebAssembly"}`;

/**
 * Unpack the network and start it in the worker; frames may come before it is ready.
 * @param {Run} run
 * @param {Provider} provider
 * @param {LiveContents} contents
 * @param {(id: number) => Uint8Array<ArrayBuffer>} bytes
 */
async function begin(run, provider, { facts, runtime, graphs }, bytes) {
  const wasm = await unpacked(bytes(runtime[provider].wasm), "gzip");
  /** @type {[string, Uint8Array<ArrayBuffer>][]} */
  const files = [];
  for (const [name, block] of Object.entries(graphs)) files.push([name, await unpacked(bytes(block), "deflate")]);
  const moved = [wasm, ...files.map(([, file]) => file)].map(({ buffer }) => buffer);
  run.post({ type: "begin", facts, provider, wasm, graphs: files }, moved);
}

export default /** @type {Widget} */ (/** @type {unknown} */ ({ render }));
