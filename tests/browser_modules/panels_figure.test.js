// When kernels are asked for plotly: once each, and again when who asked is gone. The page keeps the first answer.

/** @import { Model } from "../../widgets/core/types.d.ts" */

import { beforeEach, expect, it, vi } from "vitest";
import { plainModel } from "./plain_widget.js";

/** @type {typeof import("../../widgets/panels/figure.js").library} */
let library;
const PLOTLY = { kind: "plotly" };
const BYTES = [new DataView(new ArrayBuffer(1))];
const URL_OF_MODULE = "data:text/javascript,export default () => 'plotly'";

beforeEach(async () => {
  vi.resetModules(); // a new page
  vi.spyOn(URL, "createObjectURL").mockReturnValue(URL_OF_MODULE);
  ({ library } = await import("../../widgets/panels/figure.js"));
});

/** A kernel whose status can be told. */
function plainKernel() {
  /** @type {Set<(sender: unknown, status: string) => void>} */
  const slots = new Set();
  return {
    isDisposed: false,
    statusChanged: {
      connect: (/** @type {any} */ slot) => void slots.add(slot),
      disconnect: (/** @type {any} */ slot) => void slots.delete(slot),
    },
    become(/** @type {string} */ status) {
      for (const slot of [...slots]) slot(null, status);
    },
  };
}

/** A figure of a kernel that waits for plotly; `came` is what it then has. */
function waitingFigure(kernel = plainKernel()) {
  const model = plainModel();
  model.widget_manager.kernel = kernel;
  const controller = new AbortController();
  const figure = { model, close: () => controller.abort(), came: /** @type {string | null} */ (null) };
  library(/** @type {Model} */ (model), controller.signal).then((module) => {
    figure.came = String(module.default());
  });
  return figure;
}

it("asks a kernel once, and gives the answer to all who wait", async () => {
  const kernel = plainKernel();
  const [first, second] = [waitingFigure(kernel), waitingFigure(kernel)];
  first.model.tell({ kind: "other" });
  first.model.tell(PLOTLY, BYTES);
  await vi.waitFor(() => expect([first.came, second.came]).toEqual(["plotly", "plotly"]));
  const later = waitingFigure(plainKernel());
  await vi.waitFor(() => expect(later.came).toBe("plotly"));
  expect([first, second, later].map((figure) => figure.model.sent)).toEqual([[PLOTLY], [], []]);
});

it("asks again in the name of the next figure when the one that asked is closed", async () => {
  const kernel = plainKernel();
  const [first, second, third] = [waitingFigure(kernel), waitingFigure(kernel), waitingFigure(kernel)];
  third.close();
  first.close();
  expect([first, second, third].map((figure) => figure.model.sent)).toEqual([[PLOTLY], [PLOTLY], []]);
  second.model.tell(PLOTLY, BYTES);
  await vi.waitFor(() => expect(second.came).toBe("plotly"));
  expect([first.came, third.came]).toEqual([null, null]);
});

it("asks the kernel of another notebook, whatever became of the first", async () => {
  const [first, second] = [waitingFigure(), waitingFigure()];
  expect([first.model.sent, second.model.sent]).toEqual([[PLOTLY], [PLOTLY]]);
  second.model.tell(PLOTLY, BYTES);
  await vi.waitFor(() => expect([first.came, second.came]).toEqual(["plotly", "plotly"]));
});

it("asks a kernel that was restarted again", async () => {
  const kernel = plainKernel();
  const [first, second] = [waitingFigure(kernel), waitingFigure(kernel)];
  second.model.isGone = true; // as its connection is while the kernel restarts
  kernel.become("busy");
  kernel.become("restarting");
  const third = waitingFigure(kernel);
  expect([first, second, third].map((figure) => figure.model.sent)).toEqual([[PLOTLY], [], [PLOTLY]]);
});

it("asks again when what came could not be run", async () => {
  vi.spyOn(URL, "createObjectURL").mockReturnValueOnce("data:text/javascript,throw new Error('cut short')");
  const [model, controller] = [plainModel(), new AbortController()];
  const failing = library(/** @type {Model} */ (model), controller.signal);
  model.tell(PLOTLY, BYTES);
  await expect(failing).rejects.toThrow();
  const next = waitingFigure();
  next.model.tell(PLOTLY, BYTES);
  await vi.waitFor(() => expect(next.came).toBe("plotly"));
});
