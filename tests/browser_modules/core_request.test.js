// Which frames are asked for, and how late answers, answers about another trace, and errors are handled.

/** @import { Model } from "../../widgets/core/types.d.ts" */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readAnatomy } from "../../widgets/anatomy/message.js";
import { FrameRequest } from "../../widgets/core/request.js";

const ANSWER = { type: "anatomy", generation: 4, input: [8, 8, 3], does: {}, handed_on: true, projection_scale: 1 };
/** @type {{ frame: number }[]} */
let sent;
/** @type {(content: object, buffers?: DataView[]) => void} */
let answer;
/** @type {string[]} */
let failures;
/** @type {FrameRequest<ReturnType<typeof readAnatomy>>} */
let request;
let arrived = 0;

/** @type {(frame: number, generation?: number) => void} */
const answerFrame = (frame, generation = 4) =>
  answer({
    ...{ ...ANSWER, frame, generation },
    ...{ jpeg: [], maps: null, before: null, projection: null, tensors: {}, parts: [] },
  });
const asked = () => sent.map(({ frame }) => frame);

beforeEach(() => {
  vi.useFakeTimers();
  [sent, failures, arrived] = [[], [], 0];
  // The widget's connection to the kernel.
  const model = {
    send: (/** @type {{ frame: number }} */ content) => sent.push(content),
    on: (/** @type {string} */ _, /** @type {typeof answer} */ callback) => {
      answer = (content, buffers = []) => callback(content, buffers);
    },
    off: () => {},
  };
  const options = {
    type: "anatomy",
    read: readAnatomy,
    arrived: () => {
      arrived += 1;
    },
    failed: (/** @type {string} */ message) => {
      failures.push(message);
    },
  };
  request = new FrameRequest(
    /** @type {Model} */ (/** @type {unknown} */ (model)),
    options,
    new AbortController().signal,
  );
  request.reset(4);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a request", () => {
  it("is sent once the cursor rests, for the last frame", () => {
    for (const frame of [1, 2, 3]) request.want(frame);
    expect(asked()).toEqual([]);
    vi.runAllTimers();
    expect(sent).toEqual([{ type: "anatomy", generation: 4, frame: 3 }]);
  });

  it("waits for the answer to the one before", () => {
    request.want(3);
    vi.runAllTimers();
    request.want(5);
    vi.runAllTimers();
    expect(asked()).toEqual([3]);
    answerFrame(3);
    expect([arrived, request.data?.frame]).toEqual([1, 3]);
    request.want(5);
    vi.runAllTimers();
    expect(asked()).toEqual([3, 5]);
  });

  it("is not sent for what is here", () => {
    request.want(3);
    vi.runAllTimers();
    answerFrame(3);
    request.want(3);
    vi.runAllTimers();
    expect(asked()).toEqual([3]);
  });
});

describe("an answer", () => {
  it("about another trace is dropped", () => {
    request.want(3);
    vi.runAllTimers();
    request.reset(5);
    answerFrame(3, 4);
    expect([arrived, request.data]).toEqual([0, null]);
    request.want(3);
    vi.runAllTimers();
    answerFrame(3, 5);
    expect(request.data?.frame).toBe(3);
  });

  it("that is an error is said, and the frame is not asked for again until the cursor moves", () => {
    request.want(3);
    vi.runAllTimers();
    answer({ type: "error", message: "OSError: disk gone" });
    expect(failures).toEqual(["OSError: disk gone"]);
    request.want(3);
    vi.runAllTimers();
    expect(asked()).toEqual([3]);
    request.want(4);
    vi.runAllTimers();
    answerFrame(4);
    request.want(3);
    vi.runAllTimers();
    expect(asked()).toEqual([3, 4, 3]);
  });
});
