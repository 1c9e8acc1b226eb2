// The studio: a video, a range of it, the people in it, their tracks and what is saved, one below the other.

import { h } from "../core/dom.js";
import { hideStill, listen } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { followTheme } from "../core/theme.js";
import { Link } from "./link.js";
import { buildPeople } from "./people.js";
import { buildPicture } from "./picture.js";
import { buildSave } from "./save.js";
import { buildSource } from "./source.js";
import { buildSteps } from "./steps.js";
import { Strip } from "./strip.js";
import { buildSummary } from "./summary.js";

/** @import { Context } from "../core/types.d.ts" */

/**
 * The frame with boxes, the people and the filmstrip.
 * @param {Link} link
 */
function buildChoice(link) {
  const strip = new Strip(link, () => {
    picture.frames.ask();
    picture.boxes.paint();
    people.paint();
  });
  const frame = () => strip.here;
  const picture = buildPicture(link, frame);
  const people = buildPeople(link, {
    frame,
    show: (number) => strip.show(number),
    add: (box) => picture.boxes.add(box),
  });
  const grid = h("div", { class: "dkd-choice-grid" });
  grid.append(h("div", { class: "dkd-picture-place" }, picture.element), people.element);
  const about = { class: "dkd-panel dkd-choice", "aria-label": "Choose frames and people", tabindex: -1 };
  const element = h("section", about, grid, strip.element);
  const shape = {
    /** @type {import("./link.js").Update} */
    update: (_, clip) =>
      clip && grid.style.setProperty("--dkd-aspect", String((clip.size[0] * clip.aspect) / clip.size[1])),
  };
  return { element, parts: [shape, strip, picture, people], people };
}

/**
 * Keys of the studio stay in it: JupyterLab would take them for its own.
 * @param {HTMLElement} root
 */
function keepKeys(root) {
  root.tabIndex = 0;
  root.dataset.lmSuppressShortcuts = "true";
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
}

/**
 * Shows the editor that Python has, in place of the one before.
 * @param {Context} context
 * @param {HTMLElement} bench
 */
function showEditors({ model, host, signal }, bench) {
  /** @type {AbortController | null} */
  let shown = null;
  const show = async () => {
    shown?.abort();
    bench.replaceChildren();
    const reference = model.get("_editor");
    if (!reference) return;
    const mine = new AbortController();
    shown = mine;
    const place = h("div");
    bench.append(place);
    const widget = await host.getWidget(reference);
    if (!mine.signal.aborted) await widget.render({ el: place, signal: mine.signal });
  };
  signal.addEventListener("abort", () => shown?.abort());
  listen(model, ["change:_editor"], show, signal);
  return show();
}

/** @param {Context} context */
async function render(context) {
  const { model, el, signal } = context;
  const link = new Link(model, signal);
  const root = h("section", { class: "dkd dkd-studio", "aria-label": "Studio" });
  let isFolded = true; // the choice, once there are tracks
  const unfold = () => {
    isFolded = false;
    update(link.state, link.clip, false);
  };
  const steps = buildSteps(link, root, unfold);
  const source = buildSource(link, root);
  const choice = buildChoice(link);
  const summary = buildSummary(unfold);
  const bench = h("section", { class: "dkd-bench", "aria-label": "Correct", tabindex: -1 });
  const save = buildSave(link);
  root.append(steps.element, source.element, choice.element, summary.element, bench, save.element);
  notes(root, model, signal);
  el.append(root);
  followTheme(root, signal);
  Object.assign(root, { dkd: { link } }); // for tests and a curious console
  keepKeys(root);
  hideStill(model, ["change:_state", "change:_clip", "msg:custom"], signal);
  signal.addEventListener("abort", () => root.remove());
  const parts = [steps, source, ...choice.parts, summary, save];
  let wasTracking = false;
  /** @type {import("./link.js").Update} */
  const update = (state, clip, isOther) => {
    const isEnd = wasTracking && !state.tracking && state.people.every((person) => person.state === "done");
    wasTracking = state.tracking;
    if (isOther || isEnd) isFolded = true;
    for (const part of parts) part.update(state, clip, isOther);
    const hasTracks = state.people.some(({ done }) => done > 0) && !state.tracking;
    choice.element.hidden = !clip || (hasTracks && isFolded);
    summary.button.hidden = !choice.element.hidden;
    bench.hidden = !hasTracks;
    const isOpened = isOther && clip && link.isOpening; // by somebody at the page, who wants to see it
    if (isOpened) link.isOpening = false;
    if (isEnd || isOpened) root.scrollIntoView({ block: "start" });
  };
  link.watch(update);
  await showEditors(context, bench);
}

export default { render };
