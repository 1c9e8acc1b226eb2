// What a live page remembers of a body: the same as Python, step by step (test_live_page_body.py makes the file).

import { expect, test } from "vitest";
import { Appearance, lookAt, placesOf } from "../../widgets/live_page/appearance.js";
import { Body, buildOf } from "../../widgets/live_page/body.js";
import recorded from "./body.json" with { type: "json" };

/** @typedef {import("../../widgets/live_page/squares.js").Square} Square */

const facts = { joints: recorded.joints, limbs: /** @type {[number, number][]} */ (recorded.limbs) };
const numbers = (/** @type {(number | null)[]} */ values) => values.map((value) => value ?? Number.NaN);

test("a body walks, is hidden, is lost and replaced as in Python", () => {
  const build = buildOf(facts);
  const size = /** @type {[number, number]} */ (recorded.size);
  let square = /** @type {Square} */ (/** @type {unknown} */ (recorded.frames[0].square));
  /** @type {Body | null} */
  let body = null;
  recorded.frames.forEach((frame, t) => {
    const found = {
      joints: Float32Array.from(frame.joints),
      scores: Float32Array.from(frame.scores),
      look: numbers(frame.look),
      isSure: frame.sure,
    };
    if (body) {
      square = body.square(square, recorded.seconds, size);
      body = body.follow(found, recorded.seconds);
    } else body = Body.start(build, found, square);
    const { memory } = body;
    expect([...square], `square of frame ${t}`).toEqual(frame.square);
    expect(
      memory.counted.flatMap((one, j) => (one ? [j] : [])),
      `joints of frame ${t}`,
    ).toEqual(frame.counted);
    expect(memory.height).toBeCloseTo(frame.height, 4);
    expect(memory.lost).toBeCloseTo(frame.lost, 5);
  });
});

test("colours of places are those that Python measures, within a tenth of what can be seen", () => {
  const side = Math.sqrt(recorded.pixels.length / 3);
  const input = Float32Array.from({ length: recorded.pixels.length }, (_, i) => {
    const [c, at] = [Math.floor(i / side ** 2), i % side ** 2];
    return recorded.pixels[3 * at + c] / 255;
  });
  const look = lookAt(input, recorded.points, placesOf(recorded.joints));
  const wanted = numbers(recorded.look);
  expect(look.map(Number.isNaN)).toEqual(wanted.map(Number.isNaN));
  expect(look.some(Number.isFinite)).toBe(true);
  look.forEach((value, i) => {
    if (Number.isFinite(value)) expect(Math.abs(value - wanted[i])).toBeLessThan(0.25);
  });
});

test("a look is compared where half of the places are seen in both", () => {
  const first = new Appearance().remembering([50, 0, 0, 60, 0, 0], 0);
  expect(first.difference([50, 3, 4, Number.NaN, Number.NaN, Number.NaN])).toBeCloseTo(5, 9);
  expect(new Appearance().difference([1, 2, 3])).toBe(0);
  expect(first.isOther([50, 30, 0, 60, 30, 0])).toBe(true);
  expect(first.remembering([70, 0, 0, Number.NaN, 0, 0], 0).colours?.slice(0, 4)).toEqual([60, 0, 0, 60]);
});
