// Tensors of the anatomy: what bytes stand for, which channels are shown, and how a cell's value adds up.

import { describe, expect, it } from "vitest";
import { whyEmpty } from "../../widgets/anatomy/anatomy.js";
import { comparison, listed } from "../../widgets/anatomy/channel_sum.js";
import { rough } from "../../widgets/anatomy/elements.js";
import {
  decoded,
  exact,
  followed,
  largestOf,
  loudest,
  rangeOf,
  strongest,
  weighted,
} from "../../widgets/anatomy/tensors.js";

const coded = decoded([2, 1, 3], Uint8Array.from([0, 255, 51, 255, 0, 0]), Float32Array.from([-1, 1, 2, 4]));

describe("a tensor", () => {
  it("is read over the range of each channel", () => {
    expect([...coded.values(0)].map((v) => Number(v.toFixed(5)))).toEqual([-1, 1, -0.6]);
    expect([...coded.values(1)]).toEqual([4, 2, 2]);
    expect(coded.at(1, 0)).toBe(4);
    expect([coded.range, coded.rangeOf(1)]).toEqual([
      [-1, 4],
      [2, 4],
    ]);
  });

  it("of exact numbers is cut into channels", () => {
    const tensor = exact(Float32Array.from([1, 2, -3, 4]), [2, 1, 2]);
    expect([...tensor.values(1)]).toEqual([-3, 4]);
    expect(tensor.range).toEqual([-3, 4]);
  });

  it("is weighted channel by channel, also with negative weights", () => {
    const tensor = weighted(coded, (c) => [1, -2][c]);
    expect([...tensor.values(1)]).toEqual([-8, -4, -4]);
    expect(tensor.range).toEqual([-8, 1]);
  });
});

describe("the channels that are shown", () => {
  const tensor = exact(Float32Array.from([1, 1, -5, 0, 2, 2]), [3, 1, 2]);

  it("are those of the largest magnitude or energy", () => {
    expect(strongest(tensor, (c) => [0.1, -3, 2][c])).toEqual([1, 2, 0]);
    expect(strongest(tensor, (c) => [0.1, -3, 2][c], 2)).toEqual([1, 2]);
    expect(loudest(tensor)).toEqual([1, 2, 0]);
    expect(loudest(tensor, 1)).toEqual([1]);
  });

  it("are those that contribute most, and the one that is followed", () => {
    const parts = [5, 3, 8, 1, 0, 7, 2, 9].map((channel, i) => ({ channel, contribution: 10 - i }));
    expect(followed({ value: 0, bias: 0, parts }, null)).toEqual({ channel: 5, shown: [5, 3, 8, 1, 0, 7] });
    expect(followed({ value: 0, bias: 0, parts }, 8)).toEqual({ channel: 8, shown: [5, 3, 8, 1, 0, 7] });
    expect(followed({ value: 0, bias: 0, parts }, 9)).toEqual({ channel: 9, shown: [5, 3, 8, 1, 0, 9] });
  });
});

describe("the sum of all channels", () => {
  it("lists the first channels and adds up the others", () => {
    const parts = Array.from({ length: 11 }, (_, channel) => ({ channel, contribution: channel + 1 }));
    const { top, others, count } = listed(parts);
    expect([top.length, others, count]).toEqual([8, 9 + 10 + 11, 3]);
    expect(listed(parts.slice(0, 4))).toEqual({ top: parts.slice(0, 4), others: 0, count: 0 });
  });

  it("says how it compares with the map", () => {
    expect(comparison(0)).toBe("They are equal to the last bit.");
    expect(comparison(2.4e-7)).toContain("They differ by 2e-7");
  });
});

describe("numbers", () => {
  it("have a range and a largest magnitude to divide by", () => {
    expect(rangeOf([3, -2, 0])).toEqual([-2, 3]);
    expect([largestOf([1, -4, 2]), largestOf([0, 0])]).toEqual([4, 1]);
  });

  it("are written with few digits", () => {
    expect([0.0001, 0.0312, -1.234, 512.3].map(rough)).toEqual(["0", "0.031", "−1.23", "512"]);
  });
});

describe("frames without an anatomy", () => {
  it("say why", () => {
    expect(whyEmpty({ channels: 0, initial: new Set(), origin: 0, first: 0 }, 3)).toContain("no kernels");
    expect(whyEmpty({ channels: 8, initial: new Set([0, 3]), origin: 0, first: 0 }, 3)).toContain("pose initializer");
    expect(whyEmpty({ channels: 8, initial: new Set([0, 3]), origin: 0, first: 0 }, 3)).toContain("frame 4");
    expect(whyEmpty({ channels: 8, initial: new Set([0, 3]), origin: 0, first: 0 }, 2)).toBe("");
  });
});
