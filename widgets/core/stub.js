// What anywidget runs for every widget: it takes the widget's module from the library that Python has sent, and does
// what that says. The same text for all widgets, since it is a part of each one's state.
export default () => {
  let widget;
  const open = async (model) => {
    const find = (id) => model.widget_manager.get_model(id);
    const library = await find(model.get("_library"));
    const [key, source] = library.get("loader");
    const page = (globalThis.dkdLoaders ??= {});
    page[key] ??= import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    const { load } = await page[key];
    return load(library, find, model.get("_module"));
  };
  return {
    async initialize(context) {
      widget = await open(context.model);
      return widget.initialize?.(context);
    },
    render: (context) => widget.render?.(context),
  };
};
