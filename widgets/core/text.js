// Numbers and names as people read them.

/**
 * The mean of `count` values from index `from` on.
 * @param {Float32Array | Float64Array} values
 * @param {number} from
 * @param {number} count
 */
export const mean = (values, from, count) => {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += values[i];
  return sum / count;
};

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/**
 * left_wrist → left wrist
 * @param {string} name
 */
export const readable = (name) => name.replaceAll("_", " ");

/**
 * left_shoulder → L sho: the abbreviations of the field's tables.
 * @param {string} name
 */
export const short = (name) =>
  readable(name)
    .replace(/^(l)eft |^(r)ight /, (_, left, right) => `${(left ?? right).toUpperCase()} `)
    .replace(/(sho|elb|wri|ank)[a-z]+$/, "$1");

/**
 * left_shoulder → left shoulder, L sho: the name of what shows the abbreviation, for screen readers and for voices.
 * @param {string} name
 */
export const withShort = (name) => (short(name) === readable(name) ? short(name) : `${readable(name)}, ${short(name)}`);

/**
 * 0.4125 → +0.412, with a minus sign that is as wide as the plus.
 * @param {number} value
 */
export const signed = (value, digits = 3) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);

/**
 * 0.4125 → 0.412, −0.4125 → −0.412
 * @param {number} value
 */
export const plain = (value, digits = 3) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

/**
 * The number of a trace's frame as people read it: in the studio, where a part of a video is traced, that of the video.
 *
 * @param {{ first: number }} header
 * @param {number} frame
 */
export const numberOf = ({ first }, frame) => first + frame;

/**
 * The time of a frame as people read it, in seconds: see `numberOf`.
 *
 * @param {{ first_s: number, times: Float64Array }} header
 * @param {number} frame
 */
export const secondsOf = ({ first_s, times }, frame) => first_s + times[frame];

/** What every view calls joints that are not exactly the peaks of the maps; see dkd/tracking/refined.py. */
export const REFINED = "refined joints";

/**
 * In which frames the kernels of a frame are matched, in words.
 *
 * @param {{ origin: number, first?: number }} header
 * @param {number} frame
 */
export function matchedIn({ origin, first = 0 }, frame) {
  const [before, after] = [first + frame - 1, first + frame + 1];
  if (frame < origin) return `frame ${before}`;
  return origin && frame === origin ? `frames ${before} and ${after}` : `frame ${after}`;
}

/**
 * Whether the exact numbers of a frame were left out of a page from a file.
 *
 * @param {{ unexplained?: Set<number> }} header
 * @param {number} frame
 */
export const isUnexplained = ({ unexplained }, frame) => Boolean(unexplained?.has(frame));
export const UNEXPLAINED = "The arithmetic of this frame was left out to keep the page small; other frames have it.";

/**
 * Why a page from a file cannot take a frame apart; empty where it can.
 *
 * @param {{ first: number }} header
 * @param {number} frame
 * @param {number[] | undefined} apart frames that the page has, in ascending order
 */
export function whyAbsent(header, frame, apart) {
  if (!apart || apart.includes(frame)) return "";
  const spans = apart.reduce((/** @type {[number, number][]} */ found, t) => {
    const last = found.at(-1);
    if (last?.[1] === t - 1) last[1] = t;
    else found.push([t, t]);
    return found;
  }, []);
  const named = spans.map((span) => [...new Set(span)].map((t) => numberOf(header, t)).join(" to "));
  const here = `Frame ${numberOf(header, frame)} cannot be taken apart in this page`;
  return named.length ? `${here}: frames ${named.join(", ")} can.` : `${here}, and no other can.`;
}
