// plotly's own widget, brought once per page and after the widget is there. Its 5 MB as a part of a figure's state came
// in the way of all widgets of a page that was reloaded: they have seconds to start.

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
let plotly; // asked of the kernel by the first figure on the page

/**
 * @param {Model} model
 * @param {AbortSignal} signal
 */
function library(model, signal) {
  plotly ??= bring(model, signal).catch((error) => {
    plotly = undefined; // the next figure asks again
    throw error;
  });
  return plotly;
}

/**
 * @param {Model} model
 * @param {AbortSignal} signal
 * @returns {Promise<PlotlyModule>}
 */
function bring(model, signal) {
  return new Promise((resolve, reject) => {
    const listen = (/** @type {{ kind: string }} */ message, /** @type {BlobPart[]} */ buffers) => {
      if (message.kind !== "plotly") return;
      model.off("msg:custom", listen);
      const url = URL.createObjectURL(new Blob(buffers, { type: "text/javascript" }));
      import(url).then(resolve, reject).finally(() => URL.revokeObjectURL(url));
    };
    model.on("msg:custom", listen);
    model.send({ kind: "plotly" });
    signal.addEventListener("abort", () => reject(new Error("the figure was closed before plotly came")));
  });
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
