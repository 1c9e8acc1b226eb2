// The editor: a workbench in whose player joints are corrected, with the people, the tools and what was done.

import { h } from "../core/dom.js";
import { listen } from "../core/mount.js";
import { readMessage } from "../core/wire.js";
import { buildWorkbench } from "../workbench/workbench.js";
import { applyNudges, editorActions } from "./actions.js";
import { editingOf } from "./editing.js";
import { buildCorrectionLane } from "./lane.js";
import { buildLists } from "./lists.js";
import { buildToolbar } from "./toolbar.js";

/** @import { Actions, Context, Model } from "../core/types.d.ts" */
/** @import { Editing } from "./editing.js" */
/** @import { Extend } from "../workbench/workbench.js" */

/**
 * Follow what the kernel says of people and corrections.
 * @param {Model} model
 * @param {Editing} editing
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
function follow(model, editing, changed, signal) {
  const update = () => {
    const { buffers, ...content } = model.get("_tracks");
    const tracks = readMessage(content, buffers ?? []);
    editing.people = model.get("_people");
    editing.person = model.get("_person");
    editing.edits = model.get("_edits");
    editing.bookmarks = model.get("_bookmarks");
    editing.margin = model.get("_margin");
    editing.others = tracks.people ?? [];
    editing.uncorrected = tracks.uncorrected ?? null;
    editing.version += 1;
    changed();
    editing.store.schedule();
  };
  const refused = () => {
    const text = model.get("_problem");
    editing.say(text);
    if (text) editing.forget();
  };
  const traits = ["_people", "_person", "_tracks", "_edits", "_bookmarks"];
  listen(
    model,
    traits.map((name) => `change:${name}`),
    update,
    signal,
  );
  listen(model, ["change:_problem"], refused, signal);
  update();
  refused();
}

export default {
  /** @param {Context} context */
  render(context) {
    const { model, signal } = context;
    /** @type {Extend} */
    const extend = (root, store, cursor) => {
      const editing = editingOf(store, cursor);
      const problem = h("div", { class: "dkd-note dkd-error", role: "alert", hidden: true });
      editing.say = (text) => {
        problem.textContent = text;
        problem.hidden = !text;
      };
      editing.send = (content) => {
        try {
          model.send(content);
        } catch {
          editing.forget();
          editing.say("The kernel does not answer. Nothing was changed.");
        }
      };
      /** @type {Actions} */
      const own = editorActions(editing);
      const toolbar = buildToolbar(editing, own);
      const lists = buildLists(editing);
      const lane = buildCorrectionLane(root, editing, signal);
      const changed = () => {
        toolbar.update();
        lists.update();
      };
      root.classList.add("dkd-editor");
      follow(model, editing, changed, signal);
      applyNudges(root, editing, signal);
      const paint = () => {
        toolbar.paint();
        lane.paint();
      };
      store.add({ header: () => lists.update(), paint }, signal); // the header says how frames are numbered
      Object.assign(root, { dkdEditing: editing }); // for tests, and for the browser's console
      return { own, above: [toolbar.element, problem], below: [lane.element, lists.element] };
    };
    return buildWorkbench(context, { label: "Editor", extend });
  },
};
