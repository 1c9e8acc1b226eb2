// The live view: a camera's picture with the skeleton, how late it is, and how many frames were left out.

import { h } from "../core/dom.js";
import { hideStill, listen } from "../core/mount.js";
import { notes } from "../core/notes.js";
import { followTheme, watchTheme } from "../core/theme.js";
import { cameraProblem } from "../core/webcam.js";
import { readMessage } from "../core/wire.js";
import { Budget, budgetText, countsText, stagesOf } from "./budget.js";
import { Camera } from "./camera.js";
import { buildControls } from "./controls.js";
import { buildScreen } from "./screen.js";

/** @import { Context, Message } from "../core/types.d.ts" */

const TEXTS = {
  ready: "Press Start.",
  running: "Live",
  ended: "The source has ended.",
  stopped: "Stopped.",
  failed: "Ended by an error.",
};

/** @param {Context} context */
function render({ model, el, signal }) {
  const about = model.get("_about");
  const send = (/** @type {object} */ content, /** @type {ArrayBuffer[]} */ buffers = []) =>
    model.send(content, undefined, buffers);
  const root = h("section", { class: "dkd dkd-live", "aria-label": "Live" });
  const screen = buildScreen(root, about, signal, (box) => send({ type: "follow", box }));
  const { state, late, counts, toggle, find, joint, heat, panel } = buildControls(about, screen, {
    press: () => press(),
    choose: (index) => choose(index),
    relook: () => relook(),
    follow: (box) => send({ type: "follow", box }),
  });
  root.append(panel);
  el.append(root);
  followTheme(root, signal);
  watchTheme(() => screen.draw(), signal);
  const note = notes(root, model, signal);
  hideStill(model, ["change:_state", "msg:custom"], signal);

  const budget = new Budget();
  const camera = new Camera(
    (frame, jpeg) => send({ type: "frame", ...frame }, [jpeg]),
    () => {
      note.say("The webcam was taken away.");
      send({ type: "stop" });
    },
  );
  signal.addEventListener("abort", () => camera.close());
  const isOn = () => model.get("_state") === "running";

  async function press() {
    note.say("");
    if (isOn()) return send({ type: "stop" });
    toggle.disabled = true; // until Python has answered
    try {
      if (about.is_browser) await camera.open();
      send({ type: "start" });
    } catch (error) {
      toggle.disabled = false;
      note.say(cameraProblem(error));
    }
  }

  function choose(/** @type {number} */ index) {
    model.set("joint", about.joints[index]);
    model.save_changes();
    relook();
  }

  function relook() {
    screen.look.joint = about.joints.indexOf(model.get("joint"));
    screen.look.heatmap = heat.checked;
    joint.selectedIndex = screen.look.joint;
    screen.draw();
  }

  function follows() {
    const now = /** @type {keyof typeof TEXTS} */ (model.get("_state"));
    state.textContent = TEXTS[now];
    root.dataset.state = now;
    toggle.textContent = now === "running" ? "Stop" : "Start";
    toggle.disabled = false;
    for (const button of find) button.disabled = now !== "running";
    if (now !== "running") return camera.close();
    budget.clear();
    if (!about.is_browser) return;
    if (camera.stream) camera.start();
    else send({ type: "stop" }); // the page was reloaded: its camera is off
  }

  async function paint(/** @type {Message} */ found) {
    const answered = performance.now();
    counts.textContent = countsText(/** @type {any} */ (found));
    const sent = about.is_browser ? camera.answered(found.number) : undefined;
    if (about.is_browser && !sent) return; // of a camera that was closed
    const picture = sent?.picture ?? (await createImageBitmap(new Blob([found.jpeg], { type: "image/jpeg" })));
    if (signal.aborted) return picture.close();
    screen.show(picture, /** @type {any} */ (found));
    const painted = performance.now();
    budget.add(
      sent ? stagesOf({ ...sent, answered, painted }, /** @type {any} */ (found), about.refined) : found.stages,
    );
    late.textContent = budgetText(budget.medians());
    if (!sent) send({ type: "painted", number: found.number });
  }

  const onMessage = (/** @type {Message} */ content, /** @type {DataView[]} */ buffers) => {
    if (content.type === "seen") paint(readMessage(content, buffers));
    else if (content.type === "refused") follows();
  };
  listen(model, ["msg:custom"], onMessage, signal);
  listen(model, ["change:_state"], follows, signal);
  listen(model, ["change:joint"], relook, signal);
  signal.addEventListener("abort", () => root.remove());
  relook();
  follows();
  Object.assign(root, { dkd: { screen, camera, budget } });
}

export default { render };
