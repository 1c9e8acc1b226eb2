// The editor's pointer: what is under it, and what a drag does to a joint and to the person's box.

import { expect, test } from "vitest";
import { between } from "../../widgets/studio/actions.js";
import { Editing } from "../../widgets/studio/editing.js";
import { draggedBox, hit } from "../../widgets/studio/hit.js";
import { apart } from "../../widgets/studio/lane.js";
import { plainCursor, plainStore } from "./plain_widget.js";

/** @import { FrameRecord } from "../../widgets/core/types.d.ts" */
/** @import { Correction } from "../../widgets/studio/corrections.d.ts" */

const PLACE = { scale: 2, left: 100, top: 0 };
/** @type {[number, number][]} */
const LIMBS = [[0, 1]];
const JOINTS = Float32Array.of(10, 10, 10, 60);

/** @param {Partial<FrameRecord>} more */
const record = (more = {}) =>
  /** @type {FrameRecord} */ (
    /** @type {unknown} */ ({ frame: 3, crop: [20, 10, 100], joints: JOINTS, scores: [0.2, 0.9], ...more })
  );

function opened(header = {}) {
  const store = plainStore({
    joints: ["left_hand", "head"],
    size: [200, 100],
    tracks: new Float32Array(4 * 5),
    n_frames: 5,
    ...header,
  });
  Object.assign(store, { shown: record(), joint: () => 0 });
  const editing = new Editing(store, plainCursor({ joint_names: ["left_hand", "head"] }));
  /** @type {any[]} */
  const sent = [];
  editing.send = (content) => sent.push(content);
  return { editing, sent, store };
}

test("a joint of the selected person is taken before another person's limb, unless the other one is nearer", () => {
  const other = { name: "ben", joints: Float32Array.of(30, 10, 30, 60) };
  const at = (/** @type {number} */ x, /** @type {number} */ y) => hit(JOINTS, [other], LIMBS, PLACE, [x, y]);
  expect(at(121, 21)).toEqual({ kind: "joint", joint: 0 });
  expect(at(133, 21)).toEqual({ kind: "joint", joint: 0 }); // 12 pixels away
  expect(at(161, 70)).toEqual({ kind: "person", name: "ben" }); // in the middle of a limb
  expect(at(141, 21)).toEqual({ kind: "joint", joint: 0 }); // 20 pixels away from both
  expect(at(400, 400)).toEqual({ kind: "nothing" });
  expect(hit(JOINTS, [{ name: "ben", joints: Float32Array.of(11, 10, 11, 60) }], LIMBS, PLACE, [122, 70])).toEqual({
    kind: "person",
    name: "ben",
  });
  expect(
    hit(JOINTS, [{ name: "gone", joints: new Float32Array(4).fill(Number.NaN) }], LIMBS, PLACE, [300, 9]).kind,
  ).toBe("nothing");
});

test("a held joint is drawn where it is held, in its frame only, and the record stays as it is", () => {
  const { editing } = opened();
  editing.hold(1, [42.5, 7], true);
  const drawn = editing.drawn(record());
  expect([...drawn.joints]).toEqual([10, 10, 42.5, 7]);
  expect(drawn.scores[1]).toBe(1);
  expect(editing.look.held).toBe(1);
  expect([...JOINTS]).toEqual([10, 10, 10, 60]);
  const other = record({ frame: 4 });
  expect(editing.drawn(other)).toBe(other);
  expect(editing.look.held).toBe(-1);
});

test("a joint that was let go is asked for, and held until a header has it there", () => {
  const { editing, sent } = opened();
  editing.hold(1, [42.5, 7.25], true);
  editing.letGo();
  const asked = { frame: 3, joint: "head", x: 42.5, y: 7.25 };
  expect(sent).toEqual([{ type: "edit", name: "correct_joint", arguments: asked }]);
  const header = { joints: ["left_hand", "head"], tracks: new Float32Array(20), corrected: new Uint8Array(10) };
  editing.applied(header);
  expect(editing.held).not.toBe(null);
  header.tracks.set([42.5, 7.25], 2 * (3 * 2 + 1));
  editing.applied(header);
  expect(editing.held).not.toBe(null); // the model found it there by itself: not applied yet
  header.corrected[3 * 2 + 1] = 1;
  editing.applied(header);
  expect(editing.held).toBe(null);
});

test("what is still under the pointer is not taken away by a header", () => {
  const { editing } = opened();
  editing.hold(0, [1, 2], true);
  editing.applied({
    joints: ["left_hand", "head"],
    tracks: Float32Array.of(1, 2, 0, 0),
    corrected: Uint8Array.of(1, 0),
  });
  expect(editing.held?.at).toEqual([1, 2]);
});

test("the box follows from the network's square, within the frame", () => {
  const { editing } = opened();
  editing.margin = 1.25;
  expect(editing.boxOf(record())).toEqual([30, 20, 110, 100]);
  expect(editing.boxOf(record({ crop: [-50, -50, 100] }))).toEqual([0, 0, 40, 40]);
});

test("a drag from inside the box moves it up to the frame's edge; others draw a new one", () => {
  /** @type {[number, number, number, number]} */
  const old = [30, 20, 110, 90];
  /** @type {[number, number]} */
  const size = [200, 100];
  expect(draggedBox(old, [50, 50], [60, 55], false, size)).toEqual([40, 25, 120, 95]);
  expect(draggedBox(old, [50, 50], [500, 500], false, size)).toEqual([120, 30, 200, 100]);
  expect(draggedBox(old, [50, 50], [-500, 50], false, size)).toEqual([0, 20, 80, 90]);
  expect(draggedBox(old, [150, 80], [120, 10], false, size)).toEqual([120, 10, 150, 80]);
  expect(draggedBox(old, [50, 50], [80, 300], true, size)).toEqual([50, 50, 80, 100]);
});

test("interpolation goes between the corrections of the joint around the frame, or the two last ones", () => {
  const one = (/** @type {number} */ frame, joint = "head", action = "moved") =>
    /** @type {Correction} */ ({ index: 0, first: frame, last: frame, joint, action, text: "" });
  const edits = { corrections: [one(2), one(8), one(9), one(5, "left_hand"), one(6, "head", "hidden")] };
  const of = (/** @type {number} */ frame) => between(/** @type {any} */ ({ edits }), "head", frame);
  expect(of(5)).toEqual({ first: 2, last: 8 });
  expect(of(2)).toEqual({ first: 2, last: 8 });
  expect(of(8)).toBe(null); // nothing between 8 and 9
  expect(of(9)).toEqual(null); // neither
  expect(of(1)).toBe(null);
  edits.corrections.pop();
  expect(between(/** @type {any} */ ({ edits: { corrections: [one(2), one(8)] } }), "head", 8)).toEqual({
    first: 2,
    last: 8,
  });
});

test("the distance of two tracks, of one joint and of the one that is furthest off", () => {
  const tracks = Float32Array.of(0, 0, 0, 0, 3, 4, 10, 0, Number.NaN, 0, 1, 1);
  const before = Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2);
  const { mine, worst } = apart({ joints: ["a", "b"], tracks, n_frames: 3 }, before, 0);
  expect([...mine]).toEqual([0, 5, 0]);
  expect([...worst]).toEqual([0, 10, 1]);
  expect([...apart({ joints: ["a", "b"], tracks, n_frames: 3 }, null, 0).worst]).toEqual([0, 0, 0]);
});

test("keys jump between both ends of each correction", () => {
  const { editing } = opened();
  editing.edits = {
    ...editing.edits,
    corrections: /** @type {any} */ ([
      { first: 7, last: 9 },
      { first: 2, last: 2 },
      { first: null, last: null },
      { first: 7, last: 7 },
    ]),
  };
  expect(editing.editedFrames()).toEqual([2, 7, 9]);
});
