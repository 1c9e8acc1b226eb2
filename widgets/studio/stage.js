// The editor's player: joints are dragged on it.

import { palette } from "../core/colours.js";
import { mount } from "../core/mount.js";
import { buildPlayer } from "../workbench/player.js";
import { editingOf } from "./editing.js";
import { drawOver } from "./overlay.js";
import { followPointer, followWheelAndMenu } from "./pointer.js";

/** @import { Context } from "../core/types.d.ts" */
/** @import { Build } from "../core/mount.js" */

/** @type {Build} */
function buildStage(root, store, cursor, signal) {
  const editing = editingOf(store, cursor);
  const view = buildPlayer(root, store, cursor, signal, {
    look: editing.look,
    begin: (stage) => {
      stage.canvas.classList.add("dkd-editable");
      followPointer(stage, editing, signal);
      followWheelAndMenu(stage, editing, signal);
    },
    drawn: (record) => editing.drawn(record),
    over: (stage, record) => drawOver(stage, record, editing, palette(root).font),
  });
  return {
    ...view,
    header(header) {
      editing.applied(header);
      view.header?.(header);
    },
  };
}

export default {
  /** @param {Context} context */
  render: async (context) => {
    await mount(context, "player", "Player", buildStage);
  },
};
