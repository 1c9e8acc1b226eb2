import { expect, test } from "vitest";
import { matchedIn, numberOf, secondsOf } from "../../widgets/core/text.js";

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
