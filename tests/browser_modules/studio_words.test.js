// What the studio says, from its state.

import { expect, test } from "vitest";
import { cameraProblem } from "../../widgets/core/webcam.js";
import { recordingName } from "../../widgets/studio/camera.js";
import { foundText, progressText, trackLabel } from "../../widgets/studio/people.js";
import { fileName, savedText } from "../../widgets/studio/save.js";
import { dueStep } from "../../widgets/studio/steps.js";

/** @type {import("../../widgets/studio/types.d.ts").Person} */
const ANNA = {
  key: 1, name: "Anna", colour: "#2ec4b6", box: [0, 0, 9, 9], frame: 0, state: "new", done: 0, of: 0, text: "", verdict: "",
}; // biome-ignore format: short
/** @type {import("../../widgets/studio/types.d.ts").State} */
const STATE = {
  opening: "", range: [0, 300], range_note: "", people: [], proposals: [], proposed_in: null, finding: false,
  tracking: false, reinitialise: true, refine: false, same: [], warnings: [], moved: "", earlier: "", saved: {}, joints: {},
  formats: [".csv"], problems: {},
  exporting: { busy: "", done: 0, total: 0, written: [], notes: [], problem: "" },
}; // biome-ignore format: short
const done = { ...ANNA, state: /** @type {const} */ ("done"), done: 300 };

test("the button says what it will do", () => {
  expect(trackLabel(STATE)).toBe("Track");
  expect(trackLabel({ ...STATE, people: [ANNA] })).toBe("Track 1 person through 300 frames");
  expect(trackLabel({ ...STATE, people: [ANNA, { ...ANNA, key: 2 }], range: [5, 6] })).toBe(
    "Track 2 people through 1 frame",
  );
  expect(trackLabel({ ...STATE, people: [done, ANNA] })).toBe("Track 1 person through 300 frames");
  expect(trackLabel({ ...STATE, people: [done] })).toBe("Tracked");
  expect(trackLabel({ ...STATE, people: [ANNA], tracking: true })).toBe("Tracking …");
});

test("what was found is said of the frame in which it was looked for", () => {
  const found = { ...STATE, proposed_in: 4, proposals: [{ box: /** @type {any} */ ([0, 0, 1, 1]), confidence: 0.9 }] };
  expect(foundText(found, 4)).toBe("1 person was found: click a dashed box to take it.");
  expect(foundText(found, 5)).toBe("");
  expect(foundText({ ...STATE, proposed_in: 4 }, 4)).toMatch("Draw a box");
  expect(foundText({ ...STATE, proposed_in: 4, finding: true }, 4)).toBe("Looking for people …");
});

test("progress says how long it takes once that is known", () => {
  const person = { ...ANNA, state: /** @type {const} */ ("tracking"), done: 100, of: 300 };
  expect(progressText(person, 0)).toBe("100 of 300 frames");
  expect(progressText(person, 30)).toBe("100 of 300 frames, about 7 s left");
  expect(progressText({ ...person, done: 0 }, 0)).toBe("starting …");
  expect(progressText({ ...done, text: "followed" }, 30)).toBe("followed");
});

test("the step that is due", () => {
  expect(dueStep(STATE, false)).toBe(0);
  expect(dueStep(STATE, true)).toBe(2);
  expect(dueStep({ ...STATE, people: [ANNA] }, true)).toBe(3);
  expect(dueStep({ ...STATE, people: [done, ANNA] }, true)).toBe(3);
  expect(dueStep({ ...STATE, people: [done] }, true)).toBe(4);
});

test("where the session is", () => {
  expect(savedText({})).toBe("Not saved yet.");
  expect(savedText({ path: "videos/clip.dkd.json", at: 0 })).toBe("Not saved yet.");
  expect(savedText({ path: "videos/clip.dkd.json", at: 1e9 })).toMatch(/^Saved at \d\d:\d\d:\d\d in clip\.dkd\.json$/);
  expect(savedText({ path: "a", at: 1e9, problem: "no space" })).toBe("Not saved: no space");
  expect(fileName("C:\\videos\\clip.mp4")).toBe("clip.mp4");
});

test("a recording has a name of its own, and its problems say what to do", () => {
  const date = new Date(2026, 10, 29, 2, 5, 9);
  expect(recordingName(date, "video/webm;codecs=vp9")).toBe("webcam-20261129-020509.webm");
  expect(recordingName(date, "video/mp4")).toBe("webcam-20261129-020509.mp4");
  expect(cameraProblem(Object.assign(new Error(), { name: "NotFoundError" }))).toMatch("choose a file");
  expect(cameraProblem(new Error("strange"))).toMatch("strange");
});
