// The arithmetic of one cell in numbers: value = bias + the largest contributions + the rest. In a model with kernels
// made at the joints, that is the matched value, and what these made of it follows.

import { h } from "../core/dom.js";
import { mapBytes } from "../core/drawing.js";
import { isUnexplained, matchedIn, plain, signed, UNEXPLAINED } from "../core/text.js";

/** @import { Cell, Explanation, FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */

const TERMS = 6; // channels that are listed one by one

/**
 * @param {string} number
 * @param {string} text
 */
const line = (number, text, className = "") =>
  h("div", { class: `dkd-term ${className}` }, h("b", {}, number), h("span", {}, text));

/** @param {Store} store */
export function buildSum(store) {
  const element = h("div", { class: "dkd-sum", "aria-live": "off" });

  // Where nothing was matched, the map's value is all that is known.
  /** @param {FrameRecord} record @param {number} joint @param {number} x @param {number} y */
  function withoutMatching(record, joint, x, y) {
    const { header } = store;
    const { sign, value } = heldBy(header, record, joint, x, y);
    const total = line(`${sign} ${plain(value, 2)}`, "", "dkd-total");
    if (isUnexplained(header, record.frame)) return [total, h("p", {}, UNEXPLAINED)];
    const source =
      record.frame === header.origin
        ? "The first frame's maps come from the pose initializer. "
        : "The track was lost, and the model was re-initialised: these maps come from the pose initializer. ";
    const text = header.channels
      ? `${source}Matching starts with ${matchedIn(header, record.frame)}, with the kernels distilled from this one.`
      : "This model matches nothing: it finds the joints in each frame on its own.";
    return [total, h("p", {}, text)];
  }

  return {
    element,
    /**
     * @param {FrameRecord} record
     * @param {number} joint
     * @param {Cell} cell
     */
    paint(record, joint, { x, y, why }) {
      const reason = h("span", { class: "dkd-muted" }, ` · ${why}`);
      const head = h("div", { class: "dkd-where" }, `cell (${x}, ${y})`, reason);
      const { header } = store;
      if (header.initial.has(record.frame) || !header.channels || isUnexplained(header, record.frame)) {
        element.classList.remove("dkd-stale"); // of a frame before
        element.replaceChildren(head, ...withoutMatching(record, joint, x, y));
        return;
      }
      const result = store.explain(joint, x, y);
      element.classList.toggle("dkd-stale", !result);
      if (!result) {
        if (!element.childElementCount) element.append(head); // else the old numbers stay, paled, until the new are here
        return;
      }
      element.dataset.value = String(result.value);
      element.dataset.frame = String(record.frame);
      const held = header.at_joints ? heldBy(header, record, joint, x, y) : null;
      element.replaceChildren(head, ...terms(result, held), ...(held ? refined(result.value, held) : []));
    },
  };
}

/**
 * The value of a map's cell, to the precision of a record's byte: at the ends of the range it may lie beyond.
 *
 * @param {Pick<Header, "map" | "map_range">} header
 * @param {Pick<FrameRecord, "maps">} record
 * @param {number} joint
 * @param {number} x
 * @param {number} y
 */
export function heldBy(header, record, joint, x, y) {
  const [low, high] = header.map_range;
  const byte = mapBytes(header, record, joint)[y * header.map[0] + x];
  return { value: low + ((high - low) * byte) / 255, sign: { 0: "≤", 255: "≥" }[byte] ?? "≈" };
}

/**
 * From the matched value to the heatmap's.
 *
 * @param {number} matched
 * @param {{ value: number, sign: string }} held
 */
const refined = (matched, { value, sign }) => [
  line(signed(value - matched, 2), `${sign} by the kernels at the joint`),
  line(`${sign} ${plain(value, 2)}`, "the heatmap’s value", "dkd-total"),
];

/**
 * @param {Explanation} result
 * @param {object | null} held what the heatmap holds, if that is not the sum
 */
function terms({ value, bias, parts }, held) {
  const rest = parts.slice(TERMS).reduce((total, part) => total + part.contribution, 0);
  const listed = parts.slice(0, TERMS).map(({ contribution, channel }) => {
    const className = contribution < 0 ? "dkd-negative" : "dkd-positive";
    return line(signed(contribution), `channel ${channel}`, className);
  });
  const others = parts.length > TERMS ? [line(signed(rest), `${parts.length - TERMS} others`, "dkd-rest")] : [];
  return [
    line(plain(value), held ? "matched = sum of" : "= sum of", "dkd-total"),
    line(signed(bias), "bias"),
    ...listed,
    ...others,
  ];
}
