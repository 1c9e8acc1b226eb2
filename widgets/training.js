// The head of the training panel: what the run is doing, in words and as a bar; errors; a kernel that is gone.

function render({ model, el, signal }) {
  const word = h("strong", { class: "dkd-state" });
  const facts = h("span", { class: "dkd-facts" });
  const bar = h("progress", { class: "dkd-progress", "aria-label": "Steps done", max: 1, value: 0 });
  const root = h(
    "section",
    { class: "dkd dkd-training-head", "aria-label": "Training run" },
    h("div", { class: "dkd-training-line" }, h("span", { class: "dkd-lamp" }), word, facts),
    bar,
  );
  const announced = h("div", { class: "dkd-unseen", role: "status" }); // states only: numbers would never stop
  root.append(announced);
  notes(root, model, signal);
  el.append(root);
  hideFilmstrip(model.get("_filmstrip"), signal);
  const paint = () => {
    const { state, text, facts: numbers, step, steps } = model.get("_shown");
    root.dataset.state = state;
    root.dataset.step = step;
    word.textContent = text;
    if (announced.textContent !== state) announced.textContent = state;
    facts.replaceChildren(
      ...numbers.map(([name, value]) =>
        h("span", { class: "dkd-fact" }, h("span", { class: "dkd-muted" }, `${name} `), h("b", {}, value)),
      ),
    );
    [bar.max, bar.value] = [Math.max(1, steps), step];
  };
  model.on("change:_shown", paint);
  fitPlots(root, signal);
  signal.addEventListener("abort", () => {
    model.off("change:_shown", paint);
    root.remove();
  });
  paint();
}

// Plotly draws anew when the window's size changes, and only then; here the panel's own width counts, and a part that is
// unfolded has had none before.
function fitPlots(root, signal) {
  const observer = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));
  const timer = setInterval(() => {
    const plot = root.closest(".dkd-training")?.querySelector(".js-plotly-plot");
    if (!plot) return;
    clearInterval(timer);
    observer.observe(plot.parentElement);
    observer.observe(root);
  }, 200);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    observer.disconnect();
  });
}

export default { render };
