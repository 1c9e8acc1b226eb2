// Level 1 of the anatomy: every tensor between the picture and the map, with the channels that matter most.

/** @import { Scene } from "./tensors.js" */

import { h } from "../core/dom.js";
import { signLegend } from "../core/drawing.js";
import { readable, short, signed } from "../core/text.js";
import { frameCell } from "./cells.js";
import { symbol } from "./elements.js";
import { buildPipelinePage } from "./pipeline_page.js";
import { exact, loudest, PICKS, rangeOf, strongest, weighted } from "./tensors.js";

/** @typedef {import("./pipeline_page.js").PipelinePage} Page */

/** @param {{ choose: (channel: number) => void, pin: (x: number, y: number) => void }} links */
export function buildPipeline(links) {
  const page = buildPipelinePage(links);
  /** @type {Blob | null} */
  let shownPicture = null; // what the picture shows

  return {
    element: page.element,
    /** @param {Scene} scene */
    paint(scene) {
      const { data, frame, name } = scene;
      const { previous } = scene.detail;
      const { before, bias } = data.tensors;
      page.current.textContent = `frame ${frame}: find the ${readable(name)}`;
      page.previous.textContent = before ? `frame ${previous}: distil the kernels` : "the same kernels in all frames";
      page.handedOn.hidden = data.isHandedOn;
      page.arrows.add.words.textContent = scene.header.at_joints ? "Σ + bias, then the gate" : "Σ + bias";
      page.arrows.conv3.words.textContent = bias ? "conv3 + bias" : "conv3";
      for (const part of page.distilling) part.hidden = !before;
      if (shownPicture !== data.jpeg) {
        URL.revokeObjectURL(page.picture.src);
        page.picture.src = URL.createObjectURL(data.jpeg);
        shownPicture = data.jpeg;
      }
      page.picture.alt = `The square of frame ${frame} that the network saw`;
      page.boxes.crop.say([symbol("I", frame), " picture"], [...data.input].reverse(), [0, 255]);
      frameCell(page.looked, scene.cell, scene.header.map);
      paintFeatures(page, scene);
      paintChain(page, scene);
      paintKernels(page, scene);
      paintDistillator(page, scene);
      paintLegend(page.legend, scene.channel);
    },
  };
}

/**
 * F_t: the channels that V mixes most into the followed one, at the cell.
 *
 * @type {(page: Page, scene: Scene) => void}
 */
function paintFeatures({ boxes }, { data, header, cell, channel, frame }) {
  const { features } = data.tensors;
  const at = cell.y * header.map[0] + cell.x;
  const mixed = (/** @type {number} */ k) =>
    data.projection[channel * header.channels + k] * data.projectionScale * features.at(k, at);
  boxes.features.say([symbol("F", frame), " features"], features.shape, features.range);
  boxes.features.paint({
    tensor: features,
    channels: strongest(features, mixed),
    describe: (k) => `V mixes ≈ ${signed(mixed(k), 2)} of it into channel ${channel} at the cell`,
    note: `what V mixes most into ${channel} here`,
  });
}

/**
 * From V·F_t to the map: a channel keeps its number.
 *
 * @type {(page: Page, scene: Scene) => void}
 */
function paintChain({ boxes, map }, scene) {
  const { data, detail, header, frame, joint, name, channel } = scene;
  const [width, height] = header.map;
  const { matched } = data.tensors;
  const chain = { channels: scene.shown, selected: channel };
  const projected = exact(detail.projected, [header.channels, height, width]);
  boxes.projected.say([h("span", {}, "V·"), symbol("F", frame), " projected"], projected.shape, projected.range);
  boxes.projected.paint({ tensor: projected, ...chain });
  boxes.matched.say([symbol("K̃", detail.previous), " ⊛ V·", symbol("F", frame)], matched.shape, matched.range);
  boxes.matched.paint({ tensor: matched, ...chain });
  const contributions = weighted(matched, scene.readout);
  const byChannel = new Map(scene.explained.parts.map((part) => [part.channel, part.contribution]));
  const adds = (/** @type {number} */ c, /** @type {number} */ digits) => signed(byChannel.get(c) ?? 0, digits);
  boxes.contributions.say(["contributions"], contributions.shape, contributions.range);
  boxes.contributions.paint({
    tensor: contributions,
    ...chain,
    describe: (c) => `${adds(c, 3)} at the cell`,
    label: (c) => adds(c, 2),
  });
  const heat = mapOf(data.maps, header.map, joint);
  boxes.map.say([symbol("H", frame), ` ${readable(name)}`], [height, width], rangeOf(heat));
  map.paint(heat, header.map, scene.cell, name);
}

/**
 * K̃_{t−1}, and the read-out that weighs the channels.
 *
 * @type {(page: Page, scene: Scene) => void}
 */
function paintKernels({ boxes, equation, bars }, scene) {
  const { data, detail, header, channel } = scene;
  const kernels = exact(detail.kernels, [header.channels, header.kernel, header.kernel]);
  boxes.kernels.say([symbol("K̃", detail.previous), " kernels"], kernels.shape, kernels.range);
  boxes.kernels.paint({ tensor: kernels, channels: scene.shown, selected: channel });
  equation.paint(data.tensors, kernels, channel, detail.previous);
  bars.paint(scene);
  const weights = Array.from({ length: header.channels }, (_, c) => scene.readout(c));
  boxes.readout.say([`U[${short(scene.name)}] read-out`], [header.channels], rangeOf(weights));
}

/**
 * What the distillator did in the frame before.
 *
 * @type {(page: Page, scene: Scene) => void}
 */
function paintDistillator({ boxes }, { data, detail, joint, name, header }) {
  const { before, conv1, conv2 } = data.tensors;
  if (!before || !conv1 || !conv2) return;
  const stacked = [header.channels + header.joints.length, before.shape[1], before.shape[2]];
  boxes.before.say(
    [symbol("F", detail.previous), ", ", symbol("H", detail.previous), " stacked"],
    stacked,
    before.range,
  );
  boxes.before.paint({
    tensor: before,
    channels: loudest(before, PICKS - 1),
    extra: { values: mapOf(data.before, header.map, joint), label: `H ${short(name)}` },
  });
  boxes.conv1.say(["after conv1"], conv1.shape, conv1.range);
  boxes.conv1.paint({ tensor: conv1, channels: loudest(conv1), note: data.does.conv1 });
  boxes.conv2.say(["after conv2"], conv2.shape, conv2.range);
  boxes.conv2.paint({ tensor: conv2, channels: loudest(conv2), note: data.does.conv2 });
}

/** @type {(legend: HTMLElement, channel: number) => void} */
function paintLegend(legend, channel) {
  legend.replaceChildren(
    signLegend(),
    h("p", {}, "Each box has its own colour scale, about 0."),
    h(
      "p",
      {},
      `Outlined: channel ${channel}. From V·F to the contributions a channel keeps its number; ` +
        "V and the distillator’s layers mix all channels, so there the channels with the largest values are shown.",
    ),
  );
}

/**
 * One joint's map out of the maps of a frame (J, H, W).
 *
 * @type {(maps: Float32Array, size: [number, number], joint: number) => Float32Array}
 */
const mapOf = (maps, [width, height], joint) => maps.subarray(joint * width * height, (joint + 1) * width * height);
