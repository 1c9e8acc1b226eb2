// Numbers and names as people read them.

export const mean = (values, from, count) => values.subarray(from, from + count).reduce((a, b) => a + b, 0) / count;
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
export const readable = (name) => name.replaceAll("_", " "); // left_wrist → left wrist
// left_shoulder → L sho: the abbreviations of the field's tables
export const short = (name) =>
  readable(name)
    .replace(/^(l)eft |^(r)ight /, (_, l, r) => (l ?? r).toUpperCase() + " ")
    .replace(/(sho|elb|wri|ank)[a-z]+$/, "$1");
// 0.4125 → +0.412, with a minus sign that is as wide as the plus
export const signed = (value, digits = 3) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
export const plain = (value, digits = 3) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);
