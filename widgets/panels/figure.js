// plotly's own widget, brought once per page and after the widget is there. Its 5 MB as a part of a figure's state came
// in the way of all widgets of a page that was reloaded: they have seconds to start.

import { watchKernel } from "../core/notes.js";

/** @import { Context, Initial, Model } from "../core/types.d.ts" */

/** @typedef {{ initialize(context: Initial): void, render(context: Context): unknown }} Plotly */
/** @typedef {{ default: () => Plotly }} PlotlyModule */

const WORDS = [
  "addTraces",
  "deleteTraces",
  "moveTraces",
  "restyle",
  "relayout",
  "update",
  "animate",
  "removeLayoutProps",
  "removeTraceProps",
].map((word) => `_py2js_${word}`);

/** @type {Promise<PlotlyModule> | undefined} */
let plotly; // from the first kernel that sent it

/** @typedef {{ model: Model, kernel: unknown, hasAsked: boolean, come(module: Promise<PlotlyModule>): void }} Waiting */
/** @type {Set<Waiting>} */
const waiting = new Set(); // figures, in the order in which they came

/**
 * plotly once a kernel has sent it; never for a figure that is closed before, or whose kernel ends.
 * @param {Model} model
 * @param {AbortSignal} signal
 * @returns {Promise<PlotlyModule>}
 */
export function library(model, signal) {
  if (plotly) return plotly;
  return new Promise((resolve) => {
    const wait = new AbortController();
    const leave = () => {
      wait.abort();
      model.off("msg:custom", onMessage);
      waiting.delete(figure);
      askEachKernel();
    };
    const onMessage = (/** @type {{ kind: string }} */ message, /** @type {BlobPart[]} */ buffers) => {
      if (message.kind === "plotly") open(buffers);
    };
    const kernel = model.widget_manager.kernel ?? model.widget_manager;
    /** @type {Waiting} */
    const figure = {
      ...{ model, kernel, hasAsked: false },
      come(module) {
        resolve(module);
        leave();
      },
    };
    waiting.add(figure);
    model.on("msg:custom", onMessage);
    signal.addEventListener("abort", leave);
    watchKernel(model, wait.signal, leave);
    askEachKernel();
  });
}

// Each kernel is asked once, by the first of its figures that wait; when that one leaves, by the next: the answer goes to
// the figure that has asked.
function askEachKernel() {
  if (plotly) return;
  const asked = new Set();
  for (const figure of waiting) {
    if (!asked.has(figure.kernel) && !figure.hasAsked) {
      figure.hasAsked = true;
      try {
        figure.model.send({ kind: "plotly" });
      } catch {} // its kernel has just ended
    }
    asked.add(figure.kernel);
  }
}

/** @param {BlobPart[]} source */
function open(source) {
  if (plotly) return; // another kernel was faster
  const url = URL.createObjectURL(new Blob(source, { type: "text/javascript" }));
  plotly = import(url).finally(() => URL.revokeObjectURL(url));
  plotly.catch(() => {
    plotly = undefined; // the next figure asks again
  });
  for (const figure of [...waiting]) figure.come(plotly);
}

/**
 * plotly's widget once it is there; what Python says until then is said again.
 * @param {Initial} context
 */
async function begin(context) {
  const { model, signal } = context;
  /** @type {[string, unknown][]} */
  const missed = [];
  const notes = WORDS.map((word) => ({
    event: `change:${word}`,
    take: () => void missed.push([word, model.get(word)]),
  }));
  for (const { event, take } of notes) model.on(event, take);
  const module = await library(model, signal);
  for (const { event, take } of notes) model.off(event, take);
  const made = module.default();
  made.initialize(context);
  for (const [word, value] of missed) model.set(word, value);
  return made;
}

export default () => {
  /** @type {Promise<Plotly>} */
  let widget;
  return {
    initialize(/** @type {Initial} */ context) {
      widget = begin(context);
    },
    async render(/** @type {Context} */ context) {
      return (await widget).render(context);
    },
  };
};
