// Edits of one frame's kernels, as dkd.tracking.interventions.edit makes them, and the map that follows. Arithmetic only.


// The S×S kernel turned by 90° counter-clockwise.
function rotated(kernel, side) {
  return kernel.map((_, i) => kernel[(i % side) * side + side - 1 - Math.floor(i / side)]);
}

// The S×S kernel blurred by a Gaussian of sigma cells, zero outside; as OpenCV does it, whose window is 8 sigma wide.
function blurred(kernel, side, sigma) {
  const reach = (Math.round(8 * sigma + 1) | 1) >> 1;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
  const total = weights.reduce((a, b) => a + b, 0);
  const along = (values, step, place) =>
    values.map((_, i) => {
      let sum = 0;
      for (let d = -reach; d <= reach; d++) {
        const at = place(i) + d;
        if (at >= 0 && at < side) sum += (weights[d + reach] / total) * values[i + d * step];
      }
      return sum;
    });
  const rows = along(Float64Array.from(kernel), 1, (i) => i % side);
  return Float32Array.from(along(rows, side, (i) => Math.floor(i / side)));
}

// All kernels (C, S, S) after an edit {operation, channels, amount, values}; new ones.
export function editKernels(kernels, side, { operation, channels, amount, values }) {
  const area = side * side;
  const out = kernels.slice();
  const chosen = new Set(channels);
  for (let c = 0; c < kernels.length / area; c++) {
    if (chosen.has(c) === (operation === "solo")) continue;
    const kernel = kernels.subarray(c * area, (c + 1) * area);
    if (operation === "zero" || operation === "solo") out.fill(0, c * area, (c + 1) * area);
    if (operation === "blur") out.set(blurred(kernel, side, amount), c * area);
    if (operation === "rotate") out.set(rotated(kernel, side), c * area);
    if (operation === "paint") out.set(values, c * area);
  }
  return out;
}

// map += weight · (kernel ⊛ P[channel]), zero outside the map: what one channel adds to a joint's map (H, W).
function addMatched(map, { kernel: side, map: size }, { projected }, channel, kernel, weight) {
  const [width, height] = size;
  const reach = (side - 1) / 2;
  for (let i = 0; i < side * side; i++) {
    const factor = weight * kernel[i];
    if (!factor) continue;
    const [dx, dy] = [(i % side) - reach, Math.floor(i / side) - reach];
    const [left, right] = [Math.max(0, -dx), Math.min(width, width - dx)];
    for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
      const from = (channel * height + y + dy) * width + dx;
      for (let x = left; x < right; x++) map[y * width + x] += factor * projected[from + x];
    }
  }
}

// A joint's map (H, W) from all kernels.
export function matchedMap(header, detail, kernels, joint) {
  const area = header.kernel ** 2;
  const map = new Float64Array(header.map[0] * header.map[1]).fill(header.bias[joint]);
  for (let c = 0; c < header.channels; c++) {
    const kernel = kernels.subarray(c * area, (c + 1) * area);
    addMatched(map, header, detail, c, kernel, header.readout[joint * header.channels + c]);
  }
  return map;
}

// Change a joint's map from what it is with some kernels to what it is with others. Where few kernels differ, only what
// these add is matched again.
export function updateMap(map, header, detail, before, after, joint) {
  const area = header.kernel ** 2;
  const changed = [];
  for (let c = 0; c < header.channels; c++)
    for (let i = c * area; i < (c + 1) * area; i++)
      if (before[i] !== after[i]) {
        changed.push(c);
        break;
      }
  if (2 * changed.length > header.channels) return map.set(matchedMap(header, detail, after, joint));
  for (const c of changed) {
    const difference = after.slice(c * area, (c + 1) * area).map((value, i) => value - before[c * area + i]);
    addMatched(map, header, detail, c, difference, header.readout[joint * header.channels + c]);
  }
}
