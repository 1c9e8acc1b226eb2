// What anywidget runs for every widget: it takes the widget's module from the library that Python has sent, and does
// what that says. The same text for all widgets, since it is a part of each one's state.

/** @import { Context, Initial, Model, Widget } from "./types.d.ts" */

// What the widget asks of Python at once: the answer is on its way while modules are loaded, and waits for them.
const greet = (/** @type {Model} */ model) => {
  try {
    if (model.get("_greeting")) model.send(model.get("_greeting"));
  } catch {} // without a kernel nobody answers, as the module will find out
};

export default () => {
  /** @type {Widget} */
  let widget;
  const open = async (/** @type {Model} */ model) => {
    const find = (/** @type {string} */ id) => model.widget_manager.get_model(id);
    const library = await find(model.get("_library"));
    const [key, source] = library.get("loader");
    const page = /** @type {{ dkdLoaders?: Record<string, Promise<typeof import("./loader.js")>> }} */ (globalThis);
    page.dkdLoaders ??= {};
    const loaders = page.dkdLoaders;
    loaders[key] ??= import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    return (await loaders[key]).load(library, find, model.get("_module"));
  };
  return {
    initialize: async (/** @type {Initial} */ context) => {
      greet(context.model);
      widget = await open(context.model);
      return widget.initialize?.(context);
    },
    render: (/** @type {Context} */ context) => widget.render?.(context),
  };
};
