// The network's four graphs in ONNX Runtime Web, see dkd/engines/compact.py. This runs in the worker.

/** @import { Facts, Provider } from "./types.d.ts" */

// On WebGPU, ONNX Runtime Web 1.30 distilled wrong kernels of the shipped model, off by as much as they are large. The
// graph is small, so it runs on WebAssembly.
const ON_WASM = ["distil"];
const SAME = 1e-3; // largest difference between two ways to run a graph, as a share of its largest output

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
    this.sessions.set(name, await this.create(graph, ON_WASM.includes(name) ? "wasm" : this.provider));
  }

  /** @param {Uint8Array<ArrayBuffer>} graph @param {Provider} provider */
  create(graph, provider) {
    return this.ort.InferenceSession.create(graph, { executionProviders: [provider], graphOptimizationLevel: "all" });
  }

  /**
   * Compare what a graphics processor finds with what WebAssembly finds, once: drivers are many.
   * @param {[string, Uint8Array<ArrayBuffer>][]} graphs
   */
  async check(graphs) {
    if (this.provider === "wasm") return;
    for (const [name, graph] of graphs) {
      if (ON_WASM.includes(name)) continue;
      const other = await this.create(graph, "wasm");
      const inputs = Object.fromEntries(other.inputNames.map((/** @type {string} */ key) => [key, this.example(key)]));
      const wanted = await other.run(inputs);
      const found = await this.sessions.get(name).run(inputs);
      await other.release();
      for (const key of other.outputNames) {
        const [a, b] = [wanted[key].data, found[key].data];
        const largest = a.reduce(
          (/** @type {number} */ most, /** @type {number} */ v) => Math.max(most, Math.abs(v)),
          0,
        );
        const apart = a.reduce(
          (/** @type {number} */ most, /** @type {number} */ v, /** @type {number} */ i) =>
            Math.max(most, Math.abs(v - b[i])),
          0,
        );
        if (!(apart <= SAME * largest)) throw new Error(`its ${key} are off by ${(apart / largest).toFixed(4)}`);
      }
    }
  }

  /**
   * An input whose values vary, in 0..1.
   * @param {string} name
   */
  example(name) {
    const shape =
      /** @type {Record<string, number[]>} */ (/** @type {unknown} */ (this.shapes))[name] ?? this.shapes.features;
    const count = shape.reduce((product, side) => product * side, 1);
    return new this.ort.Tensor(
      "float32",
      Float32Array.from({ length: count }, (_, i) => (1 + Math.sin(i * i)) / 2),
      shape,
    );
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
