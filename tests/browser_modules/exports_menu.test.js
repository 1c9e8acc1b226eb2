// What the export menu says.

import { expect, test } from "vitest";
import { exportText } from "../../widgets/exports/menu.js";

const idle = { busy: "", done: 0, total: 0, written: [], notes: [], problem: "" };

test("the export says what it writes, how far it is, and what is left", () => {
  expect(exportText(idle)).toBe("");
  expect(exportText({ ...idle, busy: "SLEAP" })).toBe("Writing SLEAP …");
  expect(exportText({ ...idle, busy: "overlay video, MP4", done: 3, total: 9 })).toBe(
    "Writing overlay video, MP4: 3 of 9 …",
  );
  expect(exportText({ ...idle, written: ["a/b/two-poses.slp"] })).toBe("Saved two-poses.slp.");
  expect(exportText({ ...idle, written: ["C:\\a\\two.trc"], notes: ["No scores."] })).toBe("Saved two.trc. No scores.");
  expect(exportText({ ...idle, problem: "the disk is full" })).toBe("Not exported: the disk is full");
});
