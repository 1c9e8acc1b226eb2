// What a filled-in form asks for: one call of a method that gives a new run. Arithmetic only.

/**
 * One thing to fill in, as in forms.py.
 *
 * @typedef {object} Field
 * @property {string} name the method's argument; "count", a number of frames, makes a range of its `frames`
 * @property {string} label
 * @property {"frame" | "count" | "number" | "joint" | "joint_or_all" | "trace" | "box"} kind
 * @property {number | null} default
 * @property {number | null} low
 */

/**
 * One intervention, as in forms.py.
 *
 * @typedef {object} Form
 * @property {string} key
 * @property {string} group
 * @property {string} label
 * @property {string} method
 * @property {string} help
 * @property {Field[]} fields
 * @property {Record<string, unknown>} fixed
 */

/** @typedef {Record<string, unknown> & { frames?: number }} Arguments */
/** @typedef {{ name: string, arguments: Record<string, unknown> }} Step */

/**
 * The form as a call. With a number of frames, `frames` is [first, stop], `stop` excluded; an empty one is to the end.
 *
 * @param {Pick<Form, "method" | "fixed">} form
 * @param {Arguments} given what was filled in, without the number of frames
 * @param {string | null} count the number of frames as text; null where the form has none
 * @param {number} frames of the clip
 * @returns {Step}
 */
export function stepOf(form, given, count, frames) {
  /** @type {Record<string, unknown>} */
  const filled = { ...form.fixed, ...given };
  if (count === null) return { name: form.method, arguments: filled };
  const first = given.frames ?? 0;
  const stop = count === "" ? frames : Math.min(first + Number(count), frames);
  return { name: form.method, arguments: { ...filled, frames: [first, Math.max(stop, first + 1)] } };
}

/**
 * The joint on the other side of the body; for one on the midline, any other.
 *
 * @param {string} joint
 * @param {string[]} joints
 */
export function counterpart(joint, joints) {
  const [left, right] = ["left_", "right_"];
  const twin = joint.startsWith(left) ? joint.replace(left, right) : joint.replace(right, left);
  return twin !== joint && joints.includes(twin) ? twin : joints.find((name) => name !== joint);
}
