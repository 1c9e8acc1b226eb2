// The kernel editor: kernels that are matched in the shown frame, to be painted on; the joint's map follows at once.

/** @import { FrameRecord, Header } from "../core/types.d.ts" */
/** @import { Store } from "../core/store.js" */
/** @import { KernelEdit } from "./kernel_edits.js" */
/** @import { Step } from "./step.js" */

import { focusedIn, h } from "../core/dom.js";
import { clamp } from "../core/text.js";
import { EditedKernels } from "./edited_kernels.js";
import { buildChannelList } from "./kernel_channels.js";
import { buildKernelGrid } from "./kernel_grid.js";

const BLUR = 0.7; // cells
const NO_KERNELS = {
  none: "This model has no kernels. Change its input instead.",
  initial: "Nothing is matched in this frame: its maps come from the pose initializer. Go to the next frame.",
  waiting: "waiting for the exact numbers of this frame …",
};

/**
 * @param {object} options
 * @param {HTMLElement} options.root the view
 * @param {Store} options.store of the run that is edited
 * @param {(steps: Step[]) => void} options.send asks the kernel for edits
 * @param {() => void} options.changed asks for a new painting
 * @param {AbortSignal} options.signal
 * @param {boolean} [options.atOnce] whether each edit is sent at once, until the user says otherwise
 */
export function buildKernelEditor({ root, store, send, changed, signal, atOnce = false }) {
  const edited = new EditedKernels();
  const list = buildChannelList({ store, edited, changed });
  const apply = () => {
    const steps = edited.steps();
    if (steps.length) send(steps);
  };
  const lifted = () => {
    if (tools.atOnce.checked) apply();
  };
  const grid = buildKernelGrid({ root, edited, channel: list.shown, changed, lifted, signal });
  const tools = buildTools({
    one: () => [list.shown()],
    several: list.several,
    edit: (edit) => {
      if (!edited.now) return;
      edited.edit(edit);
      changed();
      lifted();
    },
    reset: () => {
      edited.reset();
      changed();
    },
    apply,
    isAtOnce: atOnce,
  });
  const title = h("span", { class: "dkd-muted" });
  const note = h("p", { role: "status" });
  const other = h("input", {
    type: "number",
    min: 0,
    "aria-label": "Channel",
    title: "Any channel",
    onchange: () => void list.show(clamp(Number(other.value) || 0, 0, Number(other.max))),
  });
  const body = h("div", { class: "dkd-kernel-body" }, list.element, grid.element);
  const element = h(
    "div",
    { class: "dkd-panel dkd-kernel-editor" },
    h("header", {}, h("h3", {}, "Kernel editor"), title, h("label", { class: "dkd-check" }, "channel", other)),
    note,
    body,
    tools.element,
    grid.said,
  );

  /** @param {FrameRecord} record */
  function paintKernels(record) {
    if (list.rank(record)) grid.brush.span(largest(edited.now?.detail.kernels) || 1);
    const shown = list.shown();
    const limit = Math.max(largest(edited.kernel(shown)), grid.brush.most() / 2) || 1;
    list.update(limit);
    if (focusedIn(other) !== other) other.value = String(shown);
    grid.draw(limit);
    root.dataset.channel = String(shown);
  }

  return {
    element,
    // The joint's map with the edits, or null where there are none; and how often it was changed.
    preview: () => edited.preview(),
    version: () => edited.version,
    /** @type {(header: Header, isOther: boolean) => void} */
    header(header, isOther) {
      if (isOther) edited.forget();
      grid.header(header);
      other.max = String(header.channels - 1);
    },
    /** @param {FrameRecord} record */
    paint(record) {
      const { header } = store;
      if (!header) return;
      const initial = header.initial.has(record.frame);
      const now = edited.show(header, store.detail, record.frame, store.joint());
      note.textContent = now ? "" : NO_KERNELS[!header.channels ? "none" : initial ? "initial" : "waiting"];
      note.hidden = Boolean(now);
      body.hidden = tools.element.hidden = !header.channels || initial;
      body.classList.toggle("dkd-stale", !now);
      tools.enable(edited.edits().length > 0);
      title.textContent = body.hidden ? "" : `distilled from frame ${record.previous}`;
      if (now) paintKernels(record);
    },
  };
}

/**
 * The buttons that edit kernels.
 *
 * @param {object} acts
 * @param {() => number[]} acts.one the shown channel
 * @param {() => number[]} acts.several that and the ticked ones
 * @param {(edit: KernelEdit) => void} acts.edit
 * @param {() => void} acts.reset
 * @param {() => void} acts.apply
 * @param {boolean} acts.isAtOnce
 */
function buildTools({ one, several, edit, reset, apply, isAtOnce }) {
  /** @type {(text: string, label: string, onclick: () => void) => HTMLButtonElement} */
  const button = (text, label, onclick) => h("button", { class: "dkd-button", title: label, onclick }, text);
  /** @type {(text: string, label: string, make: () => KernelEdit) => HTMLButtonElement} */
  const tool = (text, label, make) => button(text, label, () => edit(make()));
  const resetButton = button("reset", "Undo all edits of this frame’s kernels", reset);
  const applyButton = button("Apply", "Run the model with these kernels", apply);
  const atOnce = h("input", { type: "checkbox", checked: isAtOnce, onchange: () => void (atOnce.checked && apply()) });
  const tools = h(
    "div",
    { class: "dkd-kernel-tools", role: "group", "aria-label": "Edits" },
    tool("zero", "Set the shown kernel to 0", () => ({ operation: "zero", channels: one() })),
    tool("blur", `Blur the shown kernel by ${BLUR} cells`, () => ({
      operation: "blur",
      channels: one(),
      amount: BLUR,
    })),
    tool("rotate 90°", "Rotate the shown kernel counter-clockwise", () => ({
      operation: "rotate",
      channels: one(),
      amount: 90,
    })),
    tool("mute", "Set the kernels of the ticked channels to 0", () => ({ operation: "zero", channels: several() })),
    tool("solo", "Set the kernels of all other channels to 0", () => ({ operation: "solo", channels: several() })),
    resetButton,
  );
  const title = "Apply when the pointer is lifted, and after each button";
  const element = h(
    "div",
    { class: "dkd-row" },
    tools,
    h("span", { class: "dkd-space" }),
    h("label", { class: "dkd-check", title }, atOnce, "at once"),
    applyButton,
  );
  return {
    element,
    atOnce,
    /** @param {boolean} hasEdits */
    enable(hasEdits) {
      applyButton.disabled = resetButton.disabled = !hasEdits;
    },
  };
}

/** @param {Float32Array | undefined} values */
const largest = (values) => values?.reduce((most, v) => Math.max(most, Math.abs(v)), 0) ?? 0;
