// Where a frame lies on a canvas: there and back, zoom, and which joint is under a pointer.

import { expect, test } from "vitest";
import { jointStyle } from "../../widgets/workbench/joint_style.js";
import { nearestJoint, placed, toCanvas, toFrame, WHOLE, zoomedAt } from "../../widgets/workbench/place.js";

/** @type {[number, number][]} */
const CANVASES = [
  [640, 480],
  [300, 500],
  [1000, 120],
];
/** @type {[number, number]} */
const FRAME = [320, 240];

test("the whole frame is in the middle of its canvas, as large as it can be", () => {
  expect(placed([640, 480], FRAME)).toEqual({ scale: 2, stretch: 1, left: 0, top: 0 });
  expect(placed([640, 640], FRAME)).toEqual({ scale: 2, stretch: 1, left: 0, top: 80 });
  expect(placed([800, 240], FRAME)).toEqual({ scale: 1, stretch: 1, left: 240, top: 0 });
});

test("pixels that are not square are shown in their shape, and the way back leads to the stored pixel", () => {
  expect(placed([768, 240], FRAME, WHOLE, 1.2)).toEqual({ scale: 1, stretch: 1.2, left: 192, top: 0 });
  for (const canvas of CANVASES) {
    for (const zoom of [WHOLE, { factor: 5, x: 40, y: 200 }]) {
      const place = placed(canvas, FRAME, zoom, 64 / 45);
      const [[x0, y0], [x1, y1]] = [toCanvas(place, [10, 10]), toCanvas(place, [20, 20])];
      expect((x1 - x0) / (y1 - y0)).toBeCloseTo(64 / 45, 9);
      expect(toFrame(place, [x1, y1])[0]).toBeCloseTo(20, 9);
      const zoomed = zoomedAt(zoom, canvas, FRAME, [canvas[0] / 2, canvas[1] / 2], 1.5, 64 / 45);
      const middle = /** @type {[number, number]} */ ([canvas[0] / 2, canvas[1] / 2]);
      if (zoom === WHOLE) continue; // at an edge the picture may move
      const before = toFrame(place, middle);
      expect(toFrame(placed(canvas, FRAME, zoomed, 64 / 45), middle)[1]).toBeCloseTo(before[1], 6);
    }
  }
});

test("a pixel is where its middle is, and the way back leads there", () => {
  expect(toCanvas({ scale: 2, left: 10, top: 20 }, [0, 0])).toEqual([11, 21]);
  for (const canvas of CANVASES) {
    for (const zoom of [WHOLE, { factor: 3, x: 40, y: 200 }, { factor: 8, x: 319, y: 0 }]) {
      const place = placed(canvas, FRAME, zoom);
      const [x, y] = toFrame(place, toCanvas(place, [17.25, 93.5]));
      expect(x).toBeCloseTo(17.25, 9);
      expect(y).toBeCloseTo(93.5, 9);
    }
  }
});

test("zooming keeps the point under the pointer, as long as the picture still covers the canvas", () => {
  const [canvas, pointer] = /** @type {[number, number][]} */ ([
    [640, 480],
    [400, 200],
  ]);
  const under = toFrame(placed(canvas, FRAME), pointer);
  let zoom = WHOLE;
  for (const by of [1.5, 2, 1.1, 0.8]) {
    zoom = zoomedAt(zoom, canvas, FRAME, pointer, by);
    const now = toFrame(placed(canvas, FRAME, zoom), pointer);
    expect(now[0]).toBeCloseTo(under[0], 6);
    expect(now[1]).toBeCloseTo(under[1], 6);
  }
  expect(zoomedAt(zoom, canvas, FRAME, pointer, 1e6).factor).toBe(12);
  expect(placed(canvas, FRAME, zoomedAt(zoom, canvas, FRAME, pointer, 1e-6))).toEqual(placed(canvas, FRAME));
});

test("a zoomed picture leaves no empty margin", () => {
  for (const middle of [-1000, 0, 120, 1000]) {
    const { scale, left, top } = placed([640, 480], FRAME, { factor: 2, x: middle, y: middle });
    expect(left).toBeLessThanOrEqual(0);
    expect(left + scale * FRAME[0]).toBeGreaterThanOrEqual(640);
    expect(top).toBeLessThanOrEqual(0);
    expect(top + scale * FRAME[1]).toBeGreaterThanOrEqual(480);
  }
});

test("the nearest joint, in CSS pixels; a joint without a position is never the nearest", () => {
  const points = [10, 10, Number.NaN, Number.NaN, 30, 10];
  const place = { scale: 2, left: 0, top: 0 };
  expect(nearestJoint(points, place, [61, 24])).toEqual({ joint: 2, distance: 3 });
  expect(nearestJoint(points, place, [22, 21])).toEqual({ joint: 0, distance: 1 });
  expect(nearestJoint([Number.NaN, Number.NaN], place, [0, 0]).joint).toBe(-1);
});

test("corrections are filled and predictions hollow, hidden joints crossed; without corrections all are filled", () => {
  const header = {
    joints: ["a", "b", "c"],
    is_track: false,
    corrected: Uint8Array.of(0, 0, 0, 0, 1, 0),
    hidden: Uint8Array.of(0, 0, 0, 0, 0, 1),
  };
  const of = (/** @type {number} */ frame) => [0, 1, 2].map(jointStyle(header, frame, false));
  expect(of(0)).toEqual(["hollow", "hollow", "hollow"]);
  expect(of(1)).toEqual(["hollow", "filled", "hidden"]);
  const plain = { joints: ["a"], is_track: false };
  expect(jointStyle(plain, 0, false)(0)).toBe("filled");
  expect(jointStyle(plain, 0, true)(0)).toBe("hollow");
  expect(jointStyle({ ...plain, is_track: true }, 0, false)(0)).toBe("hollow");
});
