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
 * In which frames the kernels of a frame are matched, in words.
 *
 * @param {{ origin: number }} header
 * @param {number} frame
 */
export function matchedIn({ origin }, frame) {
  if (frame < origin) return `frame ${frame - 1}`;
  return origin && frame === origin ? `frames ${frame - 1} and ${frame + 1}` : `frame ${frame + 1}`;
}
