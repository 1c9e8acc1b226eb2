// Level 1 of the anatomy: every tensor between the picture and the map, with the channels that matter most.

import { h } from "../core/dom.js";
import { signLegend } from "../core/drawing.js";
import { readable, short, signed } from "../core/text.js";
import {
  arrow,
  buildEquation,
  buildMap,
  buildReadout,
  frameCell,
  namedBox,
  PICKS,
  symbol,
  tensorBox,
} from "./boxes.js";

export function buildPipeline({ choose, pin }) {
  const picture = h("img");
  const looked = h("span", { class: "dkd-cellbox" });
  let shownPicture = null; // the JPEG that the picture shows
  const map = buildMap(pin);
  const boxes = {
    crop: namedBox("crop", h("div", { class: "dkd-large dkd-anatomy-seen" }, picture, looked)),
    features: tensorBox("features"),
    projected: tensorBox("projected", choose),
    matched: tensorBox("matched", choose),
    contributions: tensorBox("contributions", choose),
    map: namedBox("map", map.element),
    before: tensorBox("before"),
    conv1: tensorBox("conv1"),
    conv2: tensorBox("conv2"),
    kernels: tensorBox("kernels", choose),
  };
  const equation = buildEquation();
  boxes.kernels.element.append(equation.element);
  const bars = buildReadout(choose);
  boxes.readout = namedBox("readout", bars.element);
  const legend = h("div", { class: "dkd-anatomy-legend" });
  const arrows = {
    encode: arrow("encoder"),
    project: arrow("V"),
    match: arrow("⊛ K̃"),
    weigh: arrow("× U"),
    add: arrow("Σ + bias"),
    conv1: arrow("conv1"),
    conv2: arrow("conv2"),
    conv3: arrow("conv3"),
    up: arrow("slides over V·F", "dkd-up"),
    weights: arrow("weigh the channels", "dkd-up dkd-up-weights"),
  };
  const now = h("h5");
  const then = h("h5");
  const handedOn = h(
    "p",
    { hidden: true },
    "The kernels that were matched are not those that the distillator makes of " +
      "the frame before as it was found: a control or a feedback of this trace hands on others.",
  );
  const rowNow = [
    boxes.crop.element,
    arrows.encode,
    boxes.features.element,
    arrows.project,
    boxes.projected.element,
    arrows.match,
    boxes.matched.element,
    arrows.weigh,
    boxes.contributions.element,
    arrows.add,
    boxes.map.element,
  ];
  const rowThen = [
    boxes.before.element,
    arrows.conv1,
    boxes.conv1.element,
    arrows.conv2,
    boxes.conv2.element,
    arrows.conv3,
    boxes.kernels.element,
    boxes.readout.element,
    legend,
  ];
  const distilling = rowThen.slice(0, 6);
  const element = h(
    "section",
    { class: "dkd-level dkd-level-1", "aria-label": "1: the pipeline" },
    h("h4", {}, "1 · The pipeline"),
    handedOn,
    h("div", { class: "dkd-flow" }, now, ...rowNow, then, arrows.up, arrows.weights, ...rowThen),
  );

  return {
    element,
    paint(scene) {
      const { data, frame, joint, name, channel, cell, header, detail } = scene;
      const { tensors } = data;
      const [width, height] = header.map;
      const t = frame;
      const chain = { channels: scene.shown, selected: channel };
      now.textContent = `frame ${t}: find the ${readable(name)}`;
      then.textContent = tensors.before ? `frame ${t - 1}: distil the kernels` : "the same kernels in all frames";
      handedOn.hidden = data.handedOn;
      if (shownPicture !== data.jpeg) {
        URL.revokeObjectURL(picture.src);
        picture.src = URL.createObjectURL(data.jpeg);
        shownPicture = data.jpeg;
      }
      picture.alt = `The square of frame ${t} that the network saw`;
      boxes.crop.say([symbol("I", t), " picture"], [...data.input].reverse(), [0, 255]);

      frameCell(looked, cell, header.map);

      const at = cell.y * width + cell.x;
      const mixed = (k) =>
        data.projection[channel * header.channels + k] * data.projectionScale * tensors.features.at(k, at);
      boxes.features.say([symbol("F", t), " features"], tensors.features.shape, tensors.features.range);
      boxes.features.paint({
        tensor: tensors.features,
        channels: loudest(tensors.features.channels(), mixed),
        describe: (k) => `V mixes ≈ ${signed(mixed(k), 2)} of it into channel ${channel} at the cell`,
        note: `what V mixes most into ${channel} here`,
      });

      const projected = exact(detail.projected, header.channels, height, width);
      boxes.projected.say([h("span", {}, "V·"), symbol("F", t), " projected"], projected.shape, projected.range);
      boxes.projected.paint({ tensor: projected, ...chain });
      const { matched } = tensors;
      boxes.matched.say([symbol("K̃", t - 1), " ⊛ V·", symbol("F", t)], matched.shape, matched.range);
      boxes.matched.paint({ tensor: tensors.matched, ...chain });
      const weighed = {
        shape: tensors.matched.shape,
        values: (c) => tensors.matched.values(c).map((v) => v * scene.readout(c)),
        channels: tensors.matched.channels,
      };
      const ends = weighed.channels().flatMap((c) => tensors.matched.rangeOf(c).map((v) => v * scene.readout(c)));
      const byChannel = new Map(scene.explained.parts.map((part) => [part.channel, part.contribution]));
      boxes.contributions.say(["contributions"], weighed.shape, [Math.min(...ends), Math.max(...ends)]);
      boxes.contributions.paint({
        tensor: weighed,
        ...chain,
        describe: (c) => `${signed(byChannel.get(c))} at the cell`,
        label: (c) => signed(byChannel.get(c), 2),
      });
      const heat = data.maps.subarray(joint * width * height, (joint + 1) * width * height);
      boxes.map.say([symbol("H", t), ` ${readable(name)}`], [height, width], [Math.min(...heat), Math.max(...heat)]);
      map.paint(heat, header.map, cell, name);

      const kernels = exact(detail.kernels, header.channels, header.kernel, header.kernel);
      boxes.kernels.say([symbol("K̃", t - 1), " kernels"], kernels.shape, kernels.range);
      boxes.kernels.paint({ tensor: kernels, ...chain });
      equation.paint(tensors, kernels, channel, t);
      bars.paint(scene);
      boxes.readout.say([`U[${short(name)}] read-out`], [header.channels], readoutRange(scene));
      arrows.conv3.firstChild.textContent = tensors.bias ? "conv3 + bias" : "conv3";
      for (const part of distilling) part.hidden = !tensors.before;
      if (tensors.before) paintDistillator(scene);
      legend.replaceChildren(
        signLegend(),
        h("p", {}, "Each box is on a scale of its own, about 0."),
        h(
          "p",
          {},
          `Outlined: channel ${channel}. From V·F to the contributions a channel keeps its number; `,
          "V and the distillator's layers mix all channels, so theirs are others: the loudest are shown.",
        ),
      );
    },
  };

  function paintDistillator({ data, frame, joint, name, header }) {
    const { tensors, does } = data;
    const [width, height] = header.map;
    const t = frame - 1;
    const heat = data.before.subarray(joint * width * height, (joint + 1) * width * height);
    boxes.before.say(
      [symbol("F", t), ", ", symbol("H", t), " stacked"],
      [header.channels + header.joints.length, height, width],
      tensors.before.range,
    );
    boxes.before.paint({
      tensor: tensors.before,
      channels: ranking(tensors.before).slice(0, PICKS - 1),
      extra: { values: heat, label: `H ${short(name)}` },
    });
    for (const layer of ["conv1", "conv2"]) {
      boxes[layer].say([`after ${layer}`], tensors[layer].shape, tensors[layer].range);
      boxes[layer].paint({
        tensor: tensors[layer],
        channels: ranking(tensors[layer]).slice(0, PICKS),
        note: does[layer],
      });
    }
  }
}

// The channels with the largest magnitude of value(c), the largest first.
const loudest = (channels, value) => channels.sort((a, b) => Math.abs(value(b)) - Math.abs(value(a))).slice(0, PICKS);

// All channels, the one of the largest energy first; counted once a tensor.
function ranking(tensor) {
  tensor.ranking ??= (() => {
    const energies = tensor.channels().map((c) => tensor.values(c).reduce((sum, v) => sum + v * v, 0));
    return tensor.channels().sort((a, b) => energies[b] - energies[a]);
  })();
  return tensor.ranking;
}

// A tensor of exact numbers, with what boxes ask of one.
export function exact(numbers, channels, height, width) {
  let [low, high] = [Infinity, -Infinity];
  for (const v of numbers) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return {
    shape: [channels, height, width],
    range: [low, high],
    values: (c) => numbers.subarray(c * height * width, (c + 1) * height * width),
  };
}

function readoutRange({ header, readout }) {
  const weights = Array.from({ length: header.channels }, (_, c) => readout(c));
  return [Math.min(...weights), Math.max(...weights)];
}
