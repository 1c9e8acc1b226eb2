import { expect, test } from "vitest";
import { matchedIn, numberOf, secondsOf, whyAbsent } from "../../widgets/core/text.js";

test("kernels are matched in the frame after, or in the one before where a run goes backwards", () => {
  expect(matchedIn({ origin: 0 }, 0)).toBe("frame 1");
  expect(matchedIn({ origin: 5 }, 8)).toBe("frame 9");
  expect(matchedIn({ origin: 5 }, 3)).toBe("frame 2");
  expect(matchedIn({ origin: 5 }, 5)).toBe("frames 4 and 6");
});

test("frames of a part of a video are numbered as in the video", () => {
  const header = { first: 40, first_s: 1.6, origin: 5, times: Float64Array.from([0, 0.04, 0.08]) };
  expect([numberOf(header, 0), numberOf(header, 2)]).toEqual([40, 42]);
  expect(secondsOf(header, 2)).toBeCloseTo(1.68);
  expect([matchedIn(header, 0), matchedIn(header, 5), matchedIn(header, 6)]).toEqual([
    "frame 39",
    "frames 44 and 46",
    "frame 47",
  ]);
});

test("frames that a page from a file can take apart are named by the numbers of the video", () => {
  expect(whyAbsent({ first: 0 }, 3, undefined)).toBe(""); // Python answers for all
  expect(whyAbsent({ first: 0 }, 3, [3])).toBe("");
  expect(whyAbsent({ first: 10 }, 9, [1, 2, 3, 7])).toContain("Frame 19 cannot");
  expect(whyAbsent({ first: 10 }, 9, [1, 2, 3, 7])).toContain("frames 11 to 13, 17 can");
  expect(whyAbsent({ first: 0 }, 9, [])).toContain("no other can");
});
