// The matching view: the selected joint's map large, the arithmetic of one cell, all joints' maps small.

import { h } from "../core/dom.js";
import { fitted, mapBytes, mapColours, paintMap } from "../core/drawing.js";
import { mount } from "../core/mount.js";
import { clamp, plain, readable, signed } from "../core/text.js";
import { colourBar, jointGrid, markSelected, place } from "../core/tiles.js";

const TERMS = 6; // channels that are listed one by one
const GLASS = 175; // opacity of the large map over the picture, 0..255

function buildMatching(root, store, cursor, signal) {
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const underlay = h("canvas", { class: "dkd-under" });
  const large = h("canvas", { class: "dkd-cells" });
  const peak = h("span", {
    class: "dkd-mark dkd-peak",
    title: "The predicted joint: the map's peak, to a fraction of a cell",
  });
  const box = h("span", { class: "dkd-cellbox", hidden: true });
  const target = h(
    "div",
    { class: "dkd-large", title: "Point at a cell to read its arithmetic; click to pin it" },
    underlay,
    large,
    box,
    peak,
  );
  const overPerson = h("input", { type: "checkbox", checked: true, onchange: () => store.schedule() });
  const toggle = h(
    "label",
    { class: "dkd-check", title: "Show the map over the picture that the network saw" },
    overPerson,
    "over picture",
  );
  const sum = h("div", { class: "dkd-sum", "aria-live": "off" });
  const smalls = h("div", { class: "dkd-smalls" });
  root.append(
    h(
      "div",
      { class: "dkd-panel" },
      h("header", {}, title, note, toggle),
      h(
        "div",
        { class: "dkd-body" },
        h("div", { class: "dkd-split" }, h("div", { class: "dkd-large-column" }, target, colourBar()), sum),
        smalls,
      ),
    ),
  );
  const fit = fitted(underlay, signal, () => store.schedule());
  let tiles = [];
  let opaque = null; // the maps' colours, and the same to see the picture through
  let glassy = null;

  const cellAt = (event) => {
    const { left, top, width, height } = target.getBoundingClientRect();
    const [columns, rows] = store.header.map;
    const x = Math.floor(((event.clientX - left) / width) * columns);
    const y = Math.floor(((event.clientY - top) / height) * rows);
    return [clamp(x, 0, columns - 1), clamp(y, 0, rows - 1)];
  };
  target.addEventListener("pointermove", (event) => store.header && store.point(cellAt(event)), { signal });
  target.addEventListener("pointerleave", () => store.point(null), { signal });
  target.addEventListener(
    "click",
    (event) => {
      const cell = cellAt(event);
      cursor.set("cell", String(cell) === String(cursor.get("cell")) ? null : cell);
    },
    { signal },
  );

  return {
    needsDetail: true,
    header(header) {
      opaque = mapColours(header);
      glassy = mapColours(header, () => GLASS);
      const grid = jointGrid(header, cursor, "heatmap");
      tiles = grid.tiles;
      smalls.replaceChildren(grid.element);
    },
    paint(record, bitmap) {
      const { header } = store;
      const selected = store.joint();
      title.textContent = `Matching · ${readable(header.joints[selected])}`;
      note.textContent = `frame ${record.frame}`;
      for (const { joint, canvas, mark, button } of tiles) {
        paintMap(canvas, header, record, joint, opaque);
        place(mark, record.peaks[2 * joint], record.peaks[2 * joint + 1], header.map);
        button.setAttribute(
          "aria-label",
          `${readable(header.joints[joint])}: heatmap, peak ${record.scores[joint].toFixed(2)}`,
        );
        if (joint === selected) paintMap(large, header, record, joint, overPerson.checked ? glassy : opaque);
      }
      markSelected(tiles, selected);
      drawUnderlay(record, bitmap);
      const [left, top, side] = record.crop;
      const toCell = (k, corner) => ((record.joints[2 * selected + k] + 0.5 - corner) * header.map[k]) / side - 0.5;
      place(peak, toCell(0, left), toCell(1, top), header.map);
      const cell = store.cell();
      box.style.width = `${100 / header.map[0]}%`;
      box.style.height = `${100 / header.map[1]}%`;
      place(box, cell.x, cell.y, header.map);
      box.hidden = cell.why === "peak";
      box.classList.toggle("dkd-pinned", cell.why === "pinned");
      explain(record, selected, cell);
      root.dataset.frame = record.frame;
    },
  };

  // The crop under the large map; the style sheet takes its colours away.
  function drawUnderlay(record, bitmap) {
    underlay.hidden = !overPerson.checked;
    if (underlay.hidden) return;
    const [width, height] = fit();
    const context = underlay.getContext("2d");
    const [left, top, side] = record.crop;
    const scale = width / side;
    const { size } = store.header;
    context.fillStyle = "#808080"; // what lies outside the frame is grey to the network, too
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, -left * scale, -top * scale, size[0] * scale, size[1] * scale);
  }

  // value = bias + the largest contributions + the rest
  function explain(record, joint, { x, y, why }) {
    const line = (number, text, className = "") =>
      h("div", { class: `dkd-term ${className}` }, h("b", {}, number), h("span", {}, text));
    const head = h("div", { class: "dkd-where" }, `cell (${x}, ${y})`, h("span", { class: "dkd-muted" }, ` · ${why}`));
    if (store.header.initial.has(record.frame) || !store.header.channels) {
      const [low, high] = store.header.map_range;
      const value = low + ((high - low) * mapBytes(store.header, record, joint)[y * store.header.map[0] + x]) / 255;
      sum.replaceChildren(
        head,
        line(`≈ ${plain(value, 2)}`, "", "dkd-total"),
        h(
          "p",
          {},
          store.header.channels
            ? (record.frame
                ? "The track was lost, and the model started anew: these maps come from the pose initializer. "
                : "The first frame's maps come from the pose initializer. ") +
                `Matching starts with frame ${record.frame + 1}, with the kernels distilled from this one.`
            : "This model matches nothing: it finds the joints in each frame on its own.",
        ),
      );
      return;
    }
    const result = store.explain(joint, x, y);
    sum.classList.toggle("dkd-stale", !result);
    if (!result) {
      if (!sum.childElementCount) sum.append(head); // else the old numbers stay, paled, until the new ones are here
      return;
    }
    const top = result.parts.slice(0, TERMS);
    const rest = result.parts.slice(TERMS).reduce((total, part) => total + part.contribution, 0);
    sum.dataset.value = result.value;
    sum.dataset.frame = record.frame;
    sum.replaceChildren(
      head,
      line(plain(result.value), "= sum of", "dkd-total"),
      line(signed(result.bias), "bias"),
      ...top.map((part) =>
        line(
          signed(part.contribution),
          `channel ${part.channel}`,
          part.contribution < 0 ? "dkd-negative" : "dkd-positive",
        ),
      ),
      ...(result.parts.length > TERMS ? [line(signed(rest), `${result.parts.length - TERMS} others`, "dkd-rest")] : []),
    );
  }
}

export default {
  render: async (context) => {
    await mount(context, "matching", "Matching", buildMatching);
  },
};
