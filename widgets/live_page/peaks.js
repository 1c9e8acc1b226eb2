// The peaks of heatmaps with sub-cell precision, as decode_peaks in dkd/pose/heatmaps.py finds them.

/**
 * How far a peak lies from the middle of its cell along one axis: the vertex of the parabola through it and its two
 * neighbours, in the logarithm of the map.
 * @param {number} before
 * @param {number} here
 * @param {number} after
 */
export function vertex(before, here, after) {
  if (!(before > 0 && after > 0 && here > 0)) return 0;
  const [low, mid, high] = [before, here, after].map(Math.log);
  const curvature = low - 2 * mid + high;
  if (curvature >= -1e-6) return 0;
  return Math.max(-0.5, Math.min(0.5, (0.5 * (low - high)) / curvature));
}

/**
 * @param {Float32Array} maps (J, H, W)
 * @param {[number, number]} size width and height in cells
 * @returns {{ cells: number[], peaks: number[], scores: Float32Array<ArrayBuffer> }} per joint x, y of the largest cell, x,
 *   y of the peak in cells, and its height
 */
export function decodePeaks(maps, [width, height]) {
  const area = width * height;
  const count = maps.length / area;
  const scores = new Float32Array(count);
  /** @type {number[]} */
  const cells = [];
  /** @type {number[]} */
  const peaks = [];
  for (let j = 0; j < count; j++) {
    let at = j * area;
    for (let i = at + 1; i < (j + 1) * area; i++) if (maps[i] > maps[at]) at = i;
    const [x, y] = [(at - j * area) % width, Math.floor((at - j * area) / width)];
    const along = (/** @type {number} */ place, /** @type {number} */ last, /** @type {number} */ step) =>
      place > 0 && place < last ? vertex(maps[at - step], maps[at], maps[at + step]) : 0;
    cells.push(x, y);
    peaks.push(x + along(x, width - 1, 1), y + along(y, height - 1, width));
    scores[j] = maps[at];
  }
  return { cells, peaks, scores };
}

/**
 * A monotone curve from scores to confidence, as dkd/models/confidence.py: linear between knots, constant beyond.
 * @param {number} score
 * @param {{ scores: number[], probabilities: number[] } | null} curve
 */
export function confidenceOf(score, curve) {
  if (!curve) return Math.max(0, Math.min(1, score));
  const { scores, probabilities } = curve;
  const above = scores.findIndex((knot) => knot >= score);
  if (above === 0) return probabilities[0];
  if (above < 0) return probabilities[probabilities.length - 1];
  const share = (score - scores[above - 1]) / (scores[above] - scores[above - 1]);
  return probabilities[above - 1] + share * (probabilities[above] - probabilities[above - 1]);
}
