// A frame with what the model found drawn over it, on any canvas: for the player, and for the laboratory's two runs.

import { palette } from "../core/colours.js";
import { mapColours, paintMap, stroke } from "../core/drawing.js";
import { clamp } from "../core/text.js";

const TRAIL = 20; // frames of the past that a trail shows
const REACH = 24; // a click so near to a joint, in CSS pixels, selects it

// Returns {header(), draw(canvas, size, record, bitmap), select(canvas, event), geometry(size)}. Layers and the
// selected joint are the cursor's; header() forgets what was made for another trace.
export function buildScene(root, store, cursor) {
  const cells = document.createElement("canvas"); // the heatmap, a pixel a cell
  let heat = null; // its colours at an opacity

  // Where the frame lies on a canvas of this size.
  const geometry = ([width, height]) => {
    const { size } = store.header;
    const scale = Math.min(width / size[0], height / size[1]);
    return { scale, left: (width - scale * size[0]) / 2, top: (height - scale * size[1]) / 2 };
  };

  return {
    geometry,
    header: () => (heat = null),
    draw(canvas, [width, height], record, bitmap) {
      const { header } = store;
      const layers = cursor.get("layers");
      const colours = palette(root);
      const context = canvas.getContext("2d");
      const { scale, left, top } = geometry([width, height]);
      context.clearRect(0, 0, width, height);
      context.imageSmoothingEnabled = true;
      context.drawImage(bitmap, left, top, header.size[0] * scale, header.size[1] * scale);
      context.save();
      context.beginPath();
      context.rect(left, top, header.size[0] * scale, header.size[1] * scale);
      context.clip();
      context.translate(left, top);
      const selected = store.joint();
      if (layers.heatmap) drawHeat(context, record, selected, layers.opacity, scale);
      if (layers.box) drawBox(context, record, scale, colours);
      const toScreen = (points, j) => [(points[2 * j] + 0.5) * scale, (points[2 * j + 1] + 0.5) * scale];
      if (layers.trails) drawTrails(context, record.frame, toScreen, colours);
      const at = record.frame * header.joints.length * 2;
      if (layers.truth && header.truth.length)
        drawTruth(context, header.truth.subarray(at, at + header.joints.length * 2), toScreen, colours, scale);
      if (layers.skeleton) drawSkeleton(context, record, toScreen, colours, selected);
      context.restore();
    },
    // Click: the nearest joint is selected.
    select(canvas, event) {
      if (!store.shown) return;
      const { scale, left, top } = geometry([canvas.clientWidth, canvas.clientHeight]);
      const distances = store.header.joints.map((_, j) => {
        const [x, y] = [0, 1].map((k) => (store.shown.joints[2 * j + k] + 0.5) * scale + (k ? top : left));
        return Math.hypot(x - event.offsetX, y - event.offsetY);
      });
      const nearest = distances.indexOf(Math.min(...distances.filter(Number.isFinite)));
      if (distances[nearest] <= REACH) cursor.set("joint", store.header.joints[nearest]);
    },
  };

  function drawHeat(context, record, joint, opacity, scale) {
    // Opaque where the map is high, so that the picture is seen where there is nothing to say.
    if (heat?.opacity !== opacity) heat = { opacity, colours: null };
    heat.colours ??= mapColours(store.header, (value) => 255 * opacity * clamp(value / 0.5, 0, 1));
    paintMap(cells, store.header, record, joint, heat.colours);
    const [x, y, side] = record.crop.map((v) => v * scale);
    context.drawImage(cells, x, y, side, side);
  }

  function drawBox(context, record, scale, colours) {
    const [x, y, side] = record.crop.map((v) => v * scale);
    for (const [colour, width] of [
      ["rgba(0,0,0,.55)", 4],
      ["#ffffff", 1.5],
    ]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.strokeRect(x, y, side, side);
    }
  }

  function drawTrails(context, frame, toScreen, colours) {
    const { header } = store;
    const count = header.joints.length;
    context.lineCap = "round";
    header.joints.forEach((_, j) => {
      for (let t = Math.max(1, frame - TRAIL + 1); t <= frame; t++) {
        const [x0, y0] = toScreen(header.tracks, (t - 1) * count + j);
        const [x1, y1] = toScreen(header.tracks, t * count + j);
        context.globalAlpha = 0.75 * (1 - (frame - t) / TRAIL);
        Object.assign(context, { strokeStyle: colours[header.sides[j]], lineWidth: 2.5 });
        context.beginPath();
        context.moveTo(x0, y0);
        context.lineTo(x1, y1);
        context.stroke();
      }
    });
    context.globalAlpha = 1;
  }

  function limbStyle(a, b) {
    const { sides } = store.header;
    const side = sides[a] === sides[b] ? sides[a] : "centre";
    return { side, dash: side === "right" ? [7, 5] : [] };
  }

  function drawTruth(context, points, toScreen, colours, scale) {
    const { header } = store;
    context.lineCap = "butt";
    for (const [a, b] of header.limbs) {
      const { side, dash } = limbStyle(a, b);
      strokeLine(context, toScreen(points, a), toScreen(points, b), [
        ["rgba(255,255,255,.8)", 2.5, []],
        [colours[side], 1.2, dash],
      ]);
    }
    header.joints.forEach((_, j) => {
      const [x, y] = toScreen(points, j);
      if (!Number.isFinite(x)) return;
      for (const [colour, width] of [
        ["#ffffff", 4],
        [colours[header.sides[j]], 2],
      ]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: width });
        context.beginPath();
        context.arc(x, y, 5.5, 0, 7);
        context.stroke();
      }
    });
  }

  function drawSkeleton(context, record, toScreen, colours, selected) {
    const { header } = store;
    const opacity = (j) => 0.25 + 0.75 * clamp(record.scores[j], 0, 1);
    for (const [a, b] of header.limbs) {
      const { side, dash } = limbStyle(a, b);
      context.globalAlpha = Math.min(opacity(a), opacity(b));
      strokeLine(context, toScreen(record.joints, a), toScreen(record.joints, b), [
        ["rgba(255,255,255,.85)", 5.5, []],
        [colours[side], 3, dash],
      ]);
    }
    header.joints.forEach((_, j) => {
      const [x, y] = toScreen(record.joints, j);
      if (!Number.isFinite(x)) return;
      context.globalAlpha = opacity(j);
      const radius = j === selected ? 7 : 4.5;
      for (const [colour, r] of [
        ["#ffffff", radius + 1.5],
        [colours[header.sides[j]], radius],
      ]) {
        context.fillStyle = colour;
        context.beginPath();
        context.arc(x, y, r, 0, 7);
        context.fill();
      }
      context.globalAlpha = 1;
      if (j !== selected) return;
      for (const [colour, width] of [
        ["rgba(0,0,0,.6)", 4],
        ["#ffffff", 2],
      ]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: width });
        context.beginPath();
        context.arc(x, y, radius + 5, 0, 7);
        context.stroke();
      }
    });
  }

  function strokeLine(context, from, to, passes) {
    if (![...from, ...to].every(Number.isFinite)) return;
    for (const [colour, width, dash] of passes) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.setLineDash(dash);
      stroke(context, from, to);
    }
    context.setLineDash([]);
  }
}
