// What the anatomy's levels are built of: boxes with small multiples, arrows, bars, the map in which a cell is picked.

import { diverging, viridis } from "../core/colours.js";
import { h } from "../core/dom.js";
import { paintCells } from "../core/drawing.js";
import { clamp, plain, readable, signed } from "../core/text.js";
import { place } from "../core/tiles.js";

export const PICKS = 6; // channels of a tensor that are shown

export const largestOf = (values) => values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0) || 1;
export const rough = (value) => {
  const size = Math.abs(value);
  return size < 5e-4 ? "0" : plain(value, size < 0.1 ? 3 : size < 100 ? 2 : 0);
};
export const symbol = (name, index) => h("span", {}, name, h("sub", {}, String(index)));

export const arrow = (label, direction = "dkd-on") => h("div", { class: `dkd-arrow ${direction}` }, h("span", {}, label));

// A box of the pipeline with a name, a shape and a range.
export function namedBox(name, ...children) {
  const title = h("strong");
  const shape = h("small");
  const element = h(
    "div",
    { class: `dkd-box dkd-box-${name}`, role: "group", "aria-label": name },
    title,
    shape,
    ...children,
  );
  return {
    element,
    say(words, sizes, [low, high]) {
      title.replaceChildren(...words);
      shape.textContent = `${sizes.join("×")} · ${rough(low)} to ${rough(high)}`;
      element.setAttribute("aria-label", `${title.textContent}, ${shape.textContent}`);
    },
  };
}

// A box with small multiples of a tensor: buttons where a channel can be chosen.
export function tensorBox(name, choose) {
  const tiles = Array.from({ length: PICKS }, () => {
    const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
    const label = h("span");
    const parts = [h("span", { class: "dkd-tile-frame" }, canvas), label];
    const tile = choose
      ? h("button", { class: "dkd-tile", onclick: () => choose(Number(tile.dataset.channel)) }, ...parts)
      : h("span", { class: "dkd-tile", role: "img" }, ...parts);
    return { tile, canvas, label };
  });
  const grid = h("div", { class: "dkd-tiles" }, ...tiles.map(({ tile }) => tile));
  const more = h("small", { class: "dkd-muted" });
  const box = namedBox(name, grid, more);
  return {
    ...box,
    // extra: a picture after the channels, that is not one of them
    paint({ tensor, channels, selected, describe, label, note, extra }) {
      const [total, height, width] = tensor.shape;
      const pictures = channels.map((c) => tensor.values(c));
      const largest = Math.max(...pictures.map(largestOf));
      tiles.forEach(({ tile, canvas, label: under }, i) => {
        const c = channels[i];
        tile.hidden = c === undefined && !(extra && i === channels.length);
        if (tile.hidden) return;
        if (c === undefined) {
          paintCells(canvas, width, height, extra.values, viridis);
          under.textContent = extra.label;
          tile.title = `${extra.label}: the joint's map, one of those stacked on the features`;
          tile.setAttribute("aria-label", tile.title);
          return;
        }
        paintCells(canvas, width, height, pictures[i], (v) => diverging(v / largest));
        under.textContent = label ? label(c) : c;
        tile.dataset.channel = c;
        tile.title = `channel ${c}${describe ? `: ${describe(c)}` : ""}`;
        tile.setAttribute("aria-label", `${name}, ${tile.title}`);
        if (choose) tile.setAttribute("aria-pressed", c === selected);
      });
      const rest = total - channels.length;
      more.textContent = [rest > 0 ? `… ${rest} more` : "", note ?? ""].filter(Boolean).join("; ");
    },
  };
}

// distilled + bias = K̃, of the selected channel.
export function buildEquation() {
  const terms = ["distilled", "bias", "K̃"].map((label) => {
    const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
    const range = h("small", { class: "dkd-muted" });
    return { canvas, range, element: h("span", { class: "dkd-term-of" }, h("small", {}, label), canvas, range) };
  });
  const [distilled, bias, sum] = terms;
  const plus = h("span", { class: "dkd-op" }, "+");
  const equals = h("span", { class: "dkd-op" }, "=");
  const element = h(
    "div",
    { class: "dkd-equation", role: "img" },
    distilled.element,
    plus,
    bias.element,
    equals,
    sum.element,
  );
  return {
    element,
    paint(tensors, kernels, channel, frame) {
      element.hidden = !tensors.bias;
      if (element.hidden) return;
      const [, height, width] = kernels.shape;
      const pictures = [tensors.conv3.values(channel), tensors.bias.values(channel), kernels.values(channel)];
      const largest = Math.max(...pictures.map(largestOf));
      pictures.forEach((values, i) => {
        paintCells(terms[i].canvas, width, height, values, (v) => diverging(v / largest));
        terms[i].range.textContent = `±${rough(largestOf(values))}`;
      });
      element.dataset.channel = channel;
      element.title =
        `Channel ${channel}: what was distilled from frame ${frame - 1}, and the learned kernel that is the ` +
        "same in all frames, make the kernel; one scale";
      element.setAttribute("aria-label", element.title);
    },
  };
}

// The joint's read-out weight of the shown channels, as bars about 0.
export function buildReadout(choose) {
  const rows = Array.from({ length: PICKS }, () => {
    const parts = { channel: h("span"), bar: h("i"), value: h("b") };
    parts.button = h(
      "button",
      { class: "dkd-weight", onclick: () => choose(Number(parts.button.dataset.channel)) },
      parts.channel,
      h("span", { class: "dkd-contribution" }, parts.bar),
      parts.value,
    );
    return parts;
  });
  return {
    element: h("div", { class: "dkd-weights" }, ...rows.map(({ button }) => button)),
    paint({ shown, channel, readout }) {
      const largest = largestOf(shown.map(readout));
      rows.forEach((row, i) => {
        row.button.hidden = shown[i] === undefined;
        if (row.button.hidden) return;
        const weight = readout(shown[i]);
        row.channel.textContent = shown[i];
        row.value.textContent = signed(weight, 2);
        setBar(row.bar, weight / largest);
        row.button.dataset.channel = shown[i];
        row.button.title = `U of channel ${shown[i]}: ${signed(weight)}`;
        row.button.setAttribute("aria-label", row.button.title);
        row.button.setAttribute("aria-pressed", shown[i] === channel);
      });
    },
  };
}

// A bar about the middle of its place: share −1..1.
export function setBar(bar, share) {
  bar.style.width = `${50 * Math.abs(share)}%`;
  bar.style.left = `${share < 0 ? 50 - 50 * Math.abs(share) : 50}%`;
  bar.className = share < 0 ? "dkd-negative" : "dkd-positive";
}

// The joint's map, in which a cell is picked by a click or with the arrow keys.
export function buildMap(pin) {
  const canvas = h("canvas", { class: "dkd-cells", width: 1, height: 1 });
  const box = h("span", { class: "dkd-cellbox" });
  const element = h("div", { class: "dkd-large dkd-anatomy-map", tabindex: 0, role: "application" }, canvas, box);
  const hint = h("small", { class: "dkd-muted" });
  let size = [1, 1];
  let cell = { x: 0, y: 0 };
  const go = (x, y) => pin(clamp(x, 0, size[0] - 1), clamp(y, 0, size[1] - 1));
  element.addEventListener("click", (event) => {
    const place = canvas.getBoundingClientRect();
    go(
      Math.floor(((event.clientX - place.left) / place.width) * size[0]),
      Math.floor(((event.clientY - place.top) / place.height) * size[1]),
    );
    element.focus({ preventScroll: true });
  });
  onArrows(element, (dx, dy) => go(cell.x + dx, cell.y + dy));
  return {
    element: h("div", {}, element, hint),
    paint(values, [width, height], where, name) {
      [size, cell] = [[width, height], where];
      paintCells(canvas, width, height, values, viridis);
      frameCell(box, where, size);
      const value = plain(values[where.y * width + where.x]);
      hint.textContent = `${value} at (${where.x}, ${where.y}) · ${where.why}`;
      element.title = "Click a cell, or move it with the arrow keys; Escape goes back to the peak";
      element.setAttribute(
        "aria-label",
        `Map of the ${readable(name)}: cell ${where.x}, ${where.y} holds ${value}. ${element.title}`,
      );
    },
  };
}

// Put a box around a cell of what fills the box's parent.
export function frameCell(box, { x, y, why }, [width, height]) {
  box.style.width = `${100 / width}%`;
  box.style.height = `${100 / height}%`;
  place(box, x, y, [width, height]);
  box.classList.toggle("dkd-pinned", why === "pinned");
}

// Arrow keys on an element that has the focus, kept from the view's own keys.
export function onArrows(element, act) {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  element.addEventListener("keydown", (event) => {
    if (!ways[event.key] || event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey)
      return;
    act(...ways[event.key]);
    event.preventDefault();
    event.stopPropagation();
  });
}
