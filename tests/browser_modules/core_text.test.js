import { expect, test } from "vitest";
import { matchedIn } from "../../widgets/core/text.js";

test("kernels are matched in the frame after, or in the one before where a run goes backwards", () => {
  expect(matchedIn({ origin: 0 }, 0)).toBe("frame 1");
  expect(matchedIn({ origin: 5 }, 8)).toBe("frame 9");
  expect(matchedIn({ origin: 5 }, 3)).toBe("frame 2");
  expect(matchedIn({ origin: 5 }, 5)).toBe("frames 4 and 6");
});
