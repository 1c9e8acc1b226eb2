// The anatomy view: how one joint's map in one frame came about, on three linked levels. The levels are in
// anatomy_pipeline.js, anatomy_slide.js and anatomy_numbers.js, their parts in anatomy_boxes.js; here is what links them.

import { isDark } from "../core/colours.js";
import { h, iconButton } from "../core/dom.js";
import { mount } from "../core/mount.js";
import { clamp, readable } from "../core/text.js";
import { unpack } from "../core/wire.js";
import { PICKS } from "./boxes.js";
import { buildNumbers } from "./numbers.js";
import { buildPipeline } from "./pipeline.js";
import { buildSlide } from "./slide.js";

const ANATOMY_REST_MS = 150; // the cursor rests: time for the frame's tensors

function buildAnatomy(root, store, cursor, signal, model) {
  let data = null; // the tensors of one frame
  let asked = false; // for them, on its way
  let failed = null; // the frame that could not be had
  let timer = 0;
  let chosen = null; // the channel that was picked; null: the one that contributes most
  let painted = "";

  const links = {
    choose: (channel) => {
      chosen = channel;
      store.schedule();
    },
    pin: (x, y) => cursor.set("cell", [x, y]),
  };
  const levels = [buildPipeline(links), buildSlide(links, signal), buildNumbers(links)];
  const title = h("h3");
  const note = h("span", { class: "dkd-muted" });
  const none = h("p", { hidden: true });
  const channel = h("input", {
    type: "number",
    min: 0,
    class: "dkd-anatomy-channel",
    "aria-label": "Channel",
    title: "The channel that is followed through all levels",
    onchange: () => {
      const wanted = Math.round(channel.valueAsNumber);
      links.choose(Number.isFinite(wanted) ? clamp(wanted, 0, store.header.channels - 1) : null);
    },
  });
  const strongest = h(
    "button",
    {
      class: "dkd-button",
      title: "Follow the channel that contributes most at the cell",
      onclick: () => links.choose(null),
    },
    "strongest",
  );
  const joint = h("select", {
    "aria-label": "Joint",
    title: "The joint whose map is explained",
    onchange: () => cursor.set("joint", joint.value),
  });
  const goTo = (by) => cursor.step(by);
  const pickers = h(
    "div",
    { class: "dkd-anatomy-pickers" },
    h(
      "span",
      { class: "dkd-buttons" },
      iconButton("back", "Frame before", () => goTo(-1)),
      iconButton("on", "Next frame", () => goTo(1)),
    ),
    joint,
    h("label", { class: "dkd-check", title: "The channel that is followed through all levels" }, "channel ", channel),
    strongest,
  );
  const body = h("div", { class: "dkd-body" }, ...levels.map((level) => level.element));
  root.append(h("div", { class: "dkd-panel" }, h("header", {}, title, note, pickers), none, body));

  const onAnswer = (content, buffers) => {
    if (content.type === "error") {
      asked = false;
      failed = store.shown?.frame; // not asked for again until the cursor moves
      return view.status?.(content.message);
    }
    if (content.generation !== store.header?.generation) return;
    asked = false;
    data = readAnatomy(content, buffers);
    store.schedule();
  };
  model.on("msg:custom", onAnswer);
  signal.addEventListener("abort", () => {
    model.off("msg:custom", onAnswer);
    clearTimeout(timer);
  });

  const want = (frame) => {
    if (asked || data?.frame === frame || failed === frame) return;
    failed = null;
    clearTimeout(timer);
    timer = setTimeout(() => {
      asked = true;
      try {
        model.send({ type: "anatomy", generation: store.header.generation, frame });
      } catch (error) {
        console.warn("the kernel does not answer", error); // the note under the view says so
      }
    }, ANATOMY_REST_MS);
  };

  const view = {
    needsDetail: true,
    header(header) {
      clearTimeout(timer);
      [data, asked, failed, chosen, painted] = [null, false, null, null, ""];
      joint.replaceChildren(...header.joints.map((name) => h("option", { value: name }, readable(name))));
      channel.max = header.channels - 1;
    },
    paint(record) {
      const { header } = store;
      const selected = store.joint();
      const name = header.joints[selected];
      const empty = header.initial.has(record.frame) || !header.channels;
      title.textContent = `Anatomy · ${readable(name)}`;
      note.textContent = `frame ${record.frame}`;
      joint.value = name;
      none.hidden = !empty;
      body.hidden = empty;
      none.textContent = header.channels
        ? `The maps of frame ${record.frame} come from the pose initializer: nothing is matched in it. ` +
          `The kernels distilled from it are at work in frame ${record.frame + 1}.`
        : "This model has no kernels to take apart: it matches nothing.";
      root.dataset.frame = record.frame;
      if (empty) return;
      want(record.frame);
      const cell = store.cell();
      const explained = store.explain(selected, cell.x, cell.y);
      const ready = Boolean(explained) && data?.frame === record.frame;
      body.classList.toggle("dkd-stale", !ready);
      if (!ready) return;
      const followed = chosen ?? explained.parts[0].channel;
      const key = [header.generation, record.frame, selected, cell.x, cell.y, cell.why, followed, isDark()].join();
      if (key === painted) return;
      painted = key;
      const shown = explained.parts.slice(0, PICKS).map((part) => part.channel);
      if (!shown.includes(followed)) shown[shown.length - 1] = followed;
      const scene = {
        header,
        data,
        cell,
        explained,
        shown,
        name,
        detail: store.detail,
        frame: record.frame,
        joint: selected,
        channel: followed,
        readout: (c) => header.readout[selected * header.channels + c],
      };
      if (document.activeElement !== channel) channel.value = followed;
      for (const level of levels) level.paint(scene);
      root.dataset.channel = followed;
      root.dataset.cell = `${cell.x},${cell.y}`;
    },
  };
  return view;
}

// The message of a frame's tensors: pictures a byte a value, with each channel's least and largest value.
function readAnatomy(content, buffers) {
  const [jpeg, maps, before, projection, ...rest] = buffers;
  const tensors = {};
  content.tensors.forEach(({ name, shape }, i) => {
    const bytes = unpack(rest[2 * i], Uint8Array);
    const ranges = unpack(rest[2 * i + 1], Float32Array);
    const [channels, height, width] = shape;
    const at = (c, k) => ranges[2 * c] + ((ranges[2 * c + 1] - ranges[2 * c]) * bytes[c * height * width + k]) / 255;
    tensors[name] = {
      shape,
      at, // value k of channel c
      range: [Math.min(...ranges.filter((_, k) => k % 2 === 0)), Math.max(...ranges.filter((_, k) => k % 2))],
      rangeOf: (c) => [ranges[2 * c], ranges[2 * c + 1]],
      values: (c) => Float32Array.from({ length: height * width }, (_, k) => at(c, k)),
      channels: () => Array.from({ length: channels }, (_, c) => c),
    };
  });
  return {
    frame: content.frame,
    input: content.input,
    does: content.does,
    handedOn: content.handed_on,
    jpeg: new Blob([jpeg], { type: "image/jpeg" }),
    maps: unpack(maps, Float32Array),
    before: unpack(before, Float32Array),
    projection: unpack(projection, Int8Array),
    projectionScale: content.projection_scale,
    tensors,
  };
}

export default {
  render: async (context) => {
    await mount(context, "anatomy", "Anatomy", (root, store, cursor, signal) =>
      buildAnatomy(root, store, cursor, signal, context.model),
    );
  },
};
