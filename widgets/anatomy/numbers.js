// Level 3 of the anatomy: the arithmetic at one cell, in numbers.

import { patchAt } from "../core/arithmetic.js";
import { diverging } from "../core/colours.js";
import { h } from "../core/dom.js";
import { readable, signed } from "../core/text.js";
import { largestOf, setBar, symbol } from "./boxes.js";
import { kernelOf } from "./slide.js";

const LISTED = 8; // channels that are listed one by one

export function buildNumbers({ choose }) {
  const where = h("span", { class: "dkd-muted" });
  const tables = { patch: h("table"), kernel: h("table"), products: h("table") };
  const named = (title, table) => h("figure", {}, h("figcaption", {}, title), table);
  const patchTitle = h("span");
  const kernelTitle = h("span");
  const lines = h("div", { class: "dkd-sums" });
  const list = h("div", { class: "dkd-all-channels" });
  const element = h(
    "section",
    { class: "dkd-level dkd-level-3", "aria-label": "3: the arithmetic at one cell" },
    h("h4", {}, "3 · The arithmetic at one cell ", where),
    h(
      "div",
      { class: "dkd-numbers" },
      h(
        "div",
        { class: "dkd-numbers-left" },
        h(
          "div",
          { class: "dkd-number-tables" },
          named(patchTitle, tables.patch),
          h("span", { class: "dkd-op" }, "×"),
          named(kernelTitle, tables.kernel),
          h("span", { class: "dkd-op" }, "="),
          named("products", tables.products),
        ),
        lines,
      ),
      list,
    ),
  );

  return {
    element,
    paint(scene) {
      const { header, detail, channel, cell, explained, frame, joint, data } = scene;
      const patch = patchAt(header, detail, channel, cell.x, cell.y);
      const kernel = kernelOf(scene);
      const products = Float64Array.from(patch, (p, i) => p * kernel[i]);
      const matched = products.reduce((total, p) => total + p, 0);
      const weight = scene.readout(channel);
      const inMap = data.maps[joint * header.map[0] * header.map[1] + cell.y * header.map[0] + cell.x];
      where.textContent = `· (${cell.x}, ${cell.y}), ${cell.why} · channel ${channel}`;
      patchTitle.replaceChildren("V·", symbol("F", frame), " around the cell");
      kernelTitle.replaceChildren(symbol("K̃", frame - 1));
      fillTable(tables.patch, patch, header.kernel);
      fillTable(tables.kernel, kernel, header.kernel);
      fillTable(tables.products, products, header.kernel);
      lines.replaceChildren(
        sumLine(signed(matched, 5), `sum of the ${products.length} products: channel ${channel}, matched`),
        sumLine(`× ${signed(weight, 5)}`, `U[${readable(scene.name)}, ${channel}], the read-out`),
        sumLine(signed(matched * weight, 5), `what channel ${channel} contributes`, "dkd-result"),
      );
      paintList(scene, inMap);
      Object.assign(element.dataset, {
        channel,
        matched,
        weight,
        contribution: matched * weight,
        value: explained.value,
        map: inMap,
        x: cell.x,
        y: cell.y,
      });
    },
  };

  function paintList({ explained: { parts, bias, value }, channel, frame }, inMap) {
    const top = parts.slice(0, LISTED);
    const rest = parts.slice(LISTED);
    const others = rest.reduce((total, part) => total + part.contribution, 0);
    const largest = largestOf([...top.map((part) => part.contribution), others, bias]);
    const row = (label, number, className = "") => {
      const bar = h("i");
      setBar(bar, number / largest);
      return [h("span", {}, label), h("span", { class: "dkd-contribution" }, bar), h("b", {}, signed(number, 5))];
    };
    const difference = Math.abs(value - inMap);
    list.replaceChildren(
      h("strong", {}, "All channels"),
      ...top.map((part) =>
        h(
          "button",
          {
            class: "dkd-weight",
            "aria-pressed": String(part.channel === channel),
            title: `Follow channel ${part.channel}`,
            "aria-label": `channel ${part.channel}: ${signed(part.contribution, 5)}`,
            "data-contribution": part.contribution,
            onclick: () => choose(part.channel),
          },
          ...row(`channel ${part.channel}`, part.contribution),
        ),
      ),
      ...(rest.length
        ? [h("div", { class: "dkd-weight", "data-contribution": others }, ...row(`${rest.length} others`, others))]
        : []),
      h("div", { class: "dkd-weight", "data-contribution": bias }, ...row("bias", bias)),
      h("div", { class: "dkd-weight dkd-result" }, h("span", {}, "sum"), h("span"), h("b", {}, signed(value, 5))),
      h(
        "div",
        { class: "dkd-weight" },
        h("span", {}, symbol("H", frame), " holds"),
        h("span"),
        h("b", {}, signed(inMap, 5)),
      ),
      h(
        "small",
        { class: "dkd-muted" },
        difference
          ? `They differ by ${difference.toExponential(0)}: the network adds in another order, in float32.`
          : "They are the same to the last bit.",
      ),
    );
  }
}

const sumLine = (number, text, className = "") =>
  h("div", { class: `dkd-sumline ${className}` }, h("b", {}, number), h("span", {}, text));

// S×S numbers with their signs; the colours say it again.
function fillTable(table, values, side) {
  const largest = largestOf(values);
  const rows = Array.from({ length: side }, (_, y) =>
    h(
      "tr",
      {},
      ...Array.from(values.subarray(y * side, (y + 1) * side), (v) => {
        const colour = diverging(v / largest).map(Math.round);
        const [r, g, b] = colour;
        const ink = 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff"; // what can be read on it
        return h("td", { style: `background:rgb(${colour});color:${ink}`, "data-value": v }, signed(v, 3));
      }),
    ),
  );
  table.replaceChildren(h("tbody", {}, ...rows));
}
