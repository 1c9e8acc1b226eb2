// The still picture of a widget stays until Python is there.

import { afterEach, expect, test, vi } from "vitest";
import { hideStill } from "../../widgets/core/mount.js";
import { plainModel } from "./plain_widget.js";

afterEach(() => vi.unstubAllGlobals());

/** @param {object | undefined} kernel */
function begin(kernel) {
  /** @type {string[]} */
  const rules = [];
  const style = {
    set textContent(/** @type {string} */ text) {
      rules.push(text);
    },
    remove: () => rules.pop(),
  };
  vi.stubGlobal("document", { createElement: () => Object.assign(style, { append() {} }), head: { append() {} } });
  const model = plainModel({ _filmstrip: "dkd-1", _shown: 0 });
  Object.assign(model.widget_manager, { kernel });
  const end = new AbortController();
  hideStill(model, ["change:_shown", "msg:custom"], end.signal);
  return { model, rules, end };
}
const HIDDEN = '[data-dkd-filmstrip="dkd-1"] { display: none; }';

test("with a kernel it is hidden at once, and shown again when the widget goes", () => {
  const { rules, end } = begin({ status: "busy" });
  expect(rules).toEqual([HIDDEN]);
  end.abort();
  expect(rules).toEqual([]);
});

test("without a kernel it stays, also when the page changes the widget, until Python says something", () => {
  const { model, rules } = begin(undefined);
  model.set("_width", 640);
  expect(rules).toEqual([]);
  model.set("_shown", 1);
  expect(rules).toEqual([HIDDEN]);
  model.tell({ type: "seen" });
  expect(rules).toEqual([HIDDEN]); // once
});
