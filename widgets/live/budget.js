// Where the time between a frame and its painted skeleton goes.

const RECENT = 30; // frames over which medians are taken

/** @typedef {Record<string, number>} Stages ms of each stage, in order */

/** @param {number[]} values */
function median(values) {
  const ordered = [...values].sort((a, b) => a - b);
  const half = ordered.length >> 1;
  return ordered.length % 2 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2;
}

export class Budget {
  /** @type {Stages[]} */
  recent = [];

  clear() {
    this.recent = [];
  }

  /** @param {Stages} stages of one frame */
  add(stages) {
    this.recent.push(stages);
    if (this.recent.length > RECENT) this.recent.shift();
  }

  /**
   * The median of each stage, and of their sum.
   * @returns {{ stages: Stages, total: number } | null}
   */
  medians() {
    const last = this.recent.at(-1);
    if (!last) return null;
    const names = Object.keys(last);
    const stages = Object.fromEntries(names.map((name) => [name, median(this.recent.map((one) => one[name] ?? 0))]));
    const sum = (/** @type {Stages} */ one) => Object.values(one).reduce((total, value) => total + value, 0);
    return { stages, total: median(this.recent.map(sum)) };
  }
}

/**
 * What the browser's camera costs: it knows when it took a frame, sent it, and painted the answer; Python says what of
 * that it took itself.
 * @param {{ taken: number, sent: number, answered: number, painted: number }} at times in ms, of one clock
 * @param {{ capture_ms: number, decode_ms: number, network_ms: number, refine_ms: number }} kernel
 * @param {boolean} refined whether the initializer refines the joints
 * @returns {Stages}
 */
export function stagesOf({ taken, sent, answered, painted }, kernel, refined = false) {
  const { capture_ms, decode_ms, network_ms, refine_ms } = kernel;
  return {
    capture: sent - taken,
    transport: Math.max(0, answered - sent - capture_ms - decode_ms - network_ms - refine_ms),
    waiting: capture_ms,
    decode: decode_ms,
    network: network_ms,
    ...(refined && { refine: refine_ms }),
    paint: painted - answered,
  };
}

/**
 * @param {{ stages: Stages, total: number } | null} budget
 */
export function budgetText(budget) {
  if (!budget) return "";
  const parts = Object.entries(budget.stages).map(([name, ms]) => `${name} ${Math.round(ms)}`);
  return `${Math.round(budget.total)} ms late: ${parts.join(" · ")}`;
}

/**
 * @param {{ captured: number, tracked: number, dropped: number }} counts
 */
export const countsText = ({ captured, tracked, dropped }) =>
  captured ? `${tracked} of ${captured} frames tracked, ${dropped} dropped` : "";
