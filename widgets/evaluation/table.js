// The table of figures: sorted by a click on a heading; copied and downloaded without the kernel.

import { copyText, downloadText } from "../core/clipboard.js";
import { h } from "../core/dom.js";

const FORMATS = [
  ["csv", "CSV", "csv", "text/csv"],
  ["latex", "LaTeX", "tex", "text/x-tex"],
  ["markdown", "Markdown", "md", "text/markdown"],
];

function render({ model, el, signal }) {
  const order = { column: null, down: true };
  const format = h("select", { "aria-label": "Format" });
  format.append(...FORMATS.map(([key, name]) => h("option", { value: key }, name)));
  const said = h("span", { class: "dkd-muted", role: "status" });
  const chosen = () => FORMATS.find(([key]) => key === format.value);
  let clock = 0;
  const say = (text) => {
    said.textContent = text;
    clearTimeout(clock);
    clock = setTimeout(() => (said.textContent = ""), 2500);
  };
  const copy = h(
    "button",
    {
      class: "dkd-button",
      title: "Copy the table in this format",
      onclick: async () => {
        const [key, name] = chosen();
        const done = await copyText(model.get("_exports")[key], root);
        say(done ? `copied as ${name}` : "press Ctrl-C to copy");
      },
    },
    "Copy",
  );
  const download = h(
    "button",
    {
      class: "dkd-button",
      title: "Save the table as a file",
      onclick: () => {
        const [key, , ending, type] = chosen();
        const file = `${model.get("_name")}.${ending}`;
        downloadText(model.get("_exports")[key], file, type);
        say(`saved as ${file}`);
      },
    },
    "Download",
  );
  const head = h("tr");
  const body = h("tbody");
  const note = h("p", { class: "dkd-measured" });
  const table = h("table", { class: "dkd-results" }, h("thead", {}, head), body);
  const bar = h("div", { class: "dkd-results-bar" }, format, copy, download, said);
  const root = h(
    "section",
    { class: "dkd dkd-results-table", "aria-label": "Figures" },
    h("div", { class: "dkd-results-scroll", tabindex: "0", role: "region", "aria-label": "Table of figures" }, table),
    note,
    bar,
  );
  root.dataset.lmSuppressShortcuts = "true";
  root.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
  el.append(root);

  function paint() {
    const columns = model.get("_columns");
    const rows = [...model.get("_rows")];
    root.hidden = !rows.length;
    const index = columns.findIndex(({ name }) => name === order.column);
    if (index >= 0) {
      const sign = order.down ? -1 : 1;
      rows.sort(([...a], [...b]) => {
        const [x, y] = [a[index].value, b[index].value];
        if (x === null || y === null) return (x === null) - (y === null); // what is not known comes last
        return sign * (typeof x === "number" ? x - y : x.localeCompare(y));
      });
    }
    head.replaceChildren(
      ...columns.map((column, i) => {
        const sorted = i === index ? (order.down ? "descending" : "ascending") : "none";
        const cell = h("th", { scope: "col", class: column.number ? "dkd-number" : "", "aria-sort": sorted });
        const mark = { ascending: " ▲", descending: " ▼", none: "" }[sorted];
        cell.append(h("button", { title: column.about, onclick: () => sortBy(column) }, column.name + mark));
        return cell;
      }),
    );
    body.replaceChildren(
      ...rows.map((row) =>
        h(
          "tr",
          {},
          ...row.map((cell, i) => {
            const machine = columns[i].name === "labels" && cell.text.includes("machine");
            const kind = [columns[i].number && "dkd-number", machine && "dkd-machine-cell"].filter(Boolean).join(" ");
            return h("td", { class: kind }, cell.best ? h("b", { title: "the best on this data" }, cell.text) : cell.text);
          }),
        ),
      ),
    );
    note.textContent = model.get("_note");
  }

  function sortBy({ name, number, best }) {
    if (order.column === name) order.down = !order.down;
    else Object.assign(order, { column: name, down: number && best !== "min" });
    paint();
  }

  model.on("change:_rows", paint);
  model.on("change:_note", paint);
  signal.addEventListener("abort", () => {
    model.off("change:_rows", paint);
    model.off("change:_note", paint);
    root.remove();
  });
  paint();
}

export default { render };
