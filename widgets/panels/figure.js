// plotly's own widget, brought once a page and after the widget is there. Its 5 MB as a part of a figure's state came in
// the way of all widgets of a page that was loaded anew: they have seconds to start.

const WORDS = [
  "addTraces", "deleteTraces", "moveTraces", "restyle", "relayout", "update", "animate", "removeLayoutProps",
  "removeTraceProps",
].map((word) => `_py2js_${word}`);

// The module with plotly's widget, asked of the kernel by the first figure on the page.
function library(model, signal) {
  globalThis.dkdPlotly ??= new Promise((resolve, reject) => {
    const listen = (message, buffers) => {
      if (message.kind !== "plotly") return;
      model.off("msg:custom", listen);
      const url = URL.createObjectURL(new Blob(buffers, { type: "text/javascript" }));
      import(url).then(resolve, reject).finally(() => URL.revokeObjectURL(url));
    };
    model.on("msg:custom", listen);
    model.send({ kind: "plotly" });
    signal.addEventListener("abort", () => reject(new Error("the figure was closed before plotly came")));
  }).catch((error) => {
    globalThis.dkdPlotly = undefined; // the next figure asks again
    throw error;
  });
  return globalThis.dkdPlotly;
}

export default () => {
  let widget;
  return {
    initialize(context) {
      const { model, signal } = context;
      // What Python says until plotly is there is said again then.
      const missed = [];
      const note = WORDS.map((word) => [`change:${word}`, () => missed.push([word, model.get(word)])]);
      for (const [event, listen] of note) model.on(event, listen);
      widget = library(model, signal).then(({ default: make }) => {
        for (const [event, listen] of note) model.off(event, listen);
        const made = make();
        made.initialize(context);
        for (const [word, value] of missed) model.set(word, value);
        return made;
      });
    },
    async render(context) {
      return (await widget).render(context);
    },
  };
};
