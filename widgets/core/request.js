// Asks the kernel for more about a frame than its record has, once the cursor rests; one request at a time.

/** @import { Message, Model } from "./types.d.ts" */

const REST_MS = 150;

/**
 * @template {{ frame: number }} Data what is known of a frame
 */
export class FrameRequest {
  /** @type {Data | null} */
  data = null; // of the frame that was asked for last
  #isAsked = false;
  #timer = 0;
  /** @type {number | null} */
  #generation = null;
  /** @type {number | null} */
  #asked = null; // the frame
  /** @type {number | null} */
  #failed = null; // the frame whose request failed: it is not asked for again until the cursor moves

  /**
   * @param {Model} model
   * @param {object} options
   * @param {string} options.type of the request
   * @param {(content: Message, buffers: DataView[]) => Data} options.read reads the answer
   * @param {() => void} options.arrived
   * @param {(message: string) => void} options.failed
   * @param {AbortSignal} signal
   */
  constructor(model, { type, read, arrived, failed }, signal) {
    this.model = model;
    this.type = type;
    /** @type {(content: any, buffers: DataView[]) => void} */
    const onAnswer = (content, buffers) => {
      if (content.type !== "error" && content.generation !== this.#generation) return;
      this.#isAsked = false;
      if (content.type === "error") {
        this.#failed = this.#asked;
        return failed(content.message);
      }
      this.data = read(content, buffers);
      arrived();
    };
    model.on("msg:custom", onAnswer);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", onAnswer);
      clearTimeout(this.#timer);
    });
  }

  /**
   * Forget all answers: another trace is served now.
   *
   * @param {number} generation of that trace
   */
  reset(generation) {
    clearTimeout(this.#timer);
    this.#generation = generation;
    this.data = this.#asked = this.#failed = null;
    this.#isAsked = false;
  }

  /**
   * Ask for a frame once no other was wanted for a moment.
   *
   * @param {number} frame
   */
  want(frame) {
    if (this.#isAsked || this.data?.frame === frame || this.#failed === frame) return;
    this.#failed = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isAsked = true;
      this.#asked = frame;
      try {
        this.model.send({ type: this.type, generation: this.#generation, frame });
      } catch (error) {
        console.warn("the kernel does not answer", error); // the note under the view says so
      }
    }, REST_MS);
  }
}
