// What the view says of a joint's kernels: its numbers, where the patch lies, and why there may be nothing to show.

import { expect, test } from "vitest";
import { whyEmpty } from "../../widgets/joint_kernels/joint_kernels.js";
import { best, inWords, numbersOf, patchOf, searchOf } from "../../widgets/joint_kernels/search.js";

/** Two joints, maps of 2 × 2 cells. */
const frame = {
  ...{ frame: 3, previous: 2, side: 5, opposite: [1, 0], jpeg: new Blob(), before: new Blob() },
  peaks: Uint8Array.from([1, 0, 0, 1]),
  fast: Float32Array.from([0.1, 0.75, -0.5, 0, 0.25, 0.5, 0, 0]),
  slow: Float32Array.from([0.5, 0.25, 0, 0, -0.25, -0.5, 0, 0]),
  matched: Float32Array.from([0, 0, 1, 0, 0, 0, 0, 1]),
  maps: Float32Array.from([1, 0, 0, 0, 0, 0, 0, 1]),
  seen: Float32Array.from([1, 0.5, 0.25, 0]),
};

test("numbers are those at the joint's own peak, also of the other joint's kernels", () => {
  const [own, other] = [0, 1].map((joint) => searchOf(frame, joint, [2, 2]));
  expect(own.peak).toEqual([1, 0]);
  expect(best(own.fast)).toBe(1);
  expect(numbersOf(own, { name: "right_wrist", search: other })).toEqual([
    { what: "seen", values: [1, 0.5] },
    { what: "best response", values: [0.75, 0.5] },
    { what: "at the map’s peak", values: [expect.closeTo(0.1, 6), 0.5] },
    { what: "right wrist’s there", values: [0.25, -0.25] },
  ]);
  expect(numbersOf(other, null)).toHaveLength(3);
  expect(inWords([0.25, -0.25])).toBe("0.25 / −0.25");
});

test("the patch is as many cells as the kernel, around the joint", () => {
  expect(patchOf([10, 0], 5, [32, 32], 256)).toEqual({ left: 64, top: -16, side: 40 });
});

test("where there is nothing to show, it is said why", () => {
  const header = { at_joints: true, initial: new Set([0, 4]), origin: 0, first: 10 };
  expect(whyEmpty({ ...header, at_joints: false }, 3)).toBe("This model makes no kernels at the joints.");
  expect(whyEmpty(header, 3)).toBe("");
  expect(whyEmpty(header, 4)).toBe(
    "The maps of frame 14 come from the pose initializer: nothing was looked for in it. " +
      "The kernels made in it are searched for in frame 15.",
  );
});
