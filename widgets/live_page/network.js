// The network's four graphs in ONNX Runtime Web, see dkd/engines/compact.py. This runs in the worker.

/** @import { Facts, Provider } from "./types.d.ts" */

/** @typedef {Float32Array<ArrayBuffer>} Values */
/** @typedef {Record<string, [Values, number[]]>} Inputs data and shape by name */

export class Network {
  /**
   * @param {any} ort the module of ONNX Runtime Web
   * @param {Facts} facts
   * @param {Provider} provider
   */
  constructor(ort, facts, provider) {
    this.ort = ort;
    this.provider = provider;
    this.facts = facts;
    /** @type {Map<string, any>} */
    this.sessions = new Map();
    const { input_size: input, map, channels, kernel, joints } = facts;
    this.shapes = {
      frame: [1, 3, input, input],
      features: [1, channels, map, map],
      kernels: [1, channels, kernel, kernel],
      heatmaps: [1, joints.length, map, map],
    };
  }

  /**
   * Start the runtime, with one thread: a page from a file may have no more.
   * @param {Uint8Array<ArrayBuffer>} wasm
   */
  begin(wasm) {
    const { env } = this.ort;
    env.wasm.numThreads = 1;
    env.wasm.wasmBinary = wasm;
    env.logLevel = "error";
  }

  /**
   * @param {string} name
   * @param {Uint8Array<ArrayBuffer>} graph
   */
  async open(name, graph) {
    const options = { executionProviders: [this.provider], graphOptimizationLevel: "all" };
    this.sessions.set(name, await this.ort.InferenceSession.create(graph, options));
  }

  /**
   * @param {string} name
   * @param {Inputs} inputs
   * @returns {Promise<Record<string, Values>>}
   */
  async run(name, inputs) {
    const feeds = Object.entries(inputs).map(([key, [data, shape]]) => [
      key,
      new this.ort.Tensor("float32", data, shape),
    ]);
    const found = await this.sessions.get(name).run(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(found).map(([key, tensor]) => [key, tensor.data]));
  }

  /** @param {Values} frame (3, N, N) @returns {Promise<Values>} maps (J, H, W) */
  async initialise(frame) {
    return (await this.run("initialise", { frame: [frame, this.shapes.frame] })).heatmaps;
  }

  /** @param {Values} frame (3, N, N) */
  async encode(frame) {
    const { features, projected } = await this.run("encode", { frame: [frame, this.shapes.frame] });
    return { features, projected };
  }

  /** @param {Values} projected (C, H, W) @param {Values} kernels (C, S, S) @returns {Promise<Values>} maps (J, H, W) */
  async match(projected, kernels) {
    const { features: shape, kernels: side } = this.shapes;
    return (await this.run("match", { projected: [projected, shape], kernels: [kernels, side] })).heatmaps;
  }

  /** @param {Values} features (C, H, W) @param {Values} heatmaps (J, H, W) @returns {Promise<Values>} (C, S, S) */
  async distil(features, heatmaps) {
    const { features: shape, heatmaps: maps } = this.shapes;
    return (await this.run("distil", { features: [features, shape], heatmaps: [heatmaps, maps] })).kernels;
  }
}
