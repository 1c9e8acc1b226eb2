// Keyboard shortcuts.

import tables from "./tables.json" with { type: "json" };

export const SHORTCUTS = tables.shortcuts;
export const SPEEDS = tables.speeds;

// Held keys and buttons accelerate: the step after so many repeats, about 30 of them a second.
const acceleration = (repeats) => (repeats < 12 ? 1 : repeats < 30 ? 2 : repeats < 60 ? 4 : 8);

export function actions(root, store, cursor) {
  const jump = (list, direction) => {
    const here = cursor.get("frame");
    const next = direction > 0 ? list.find((t) => t > here) : list.findLast((t) => t < here);
    if (next !== undefined) cursor.seek(next);
  };
  const cycle = (list, value, by) => list[(list.indexOf(value) + by + list.length) % list.length];
  return {
    "toggle-play": () => cursor.toggle(),
    step: (by, repeats = 0) => cursor.step(Number(by) * (Math.abs(by) < 5 ? acceleration(repeats) : 1)),
    first: () => cursor.seek(0),
    last: () => cursor.seek(cursor.get("n_frames") - 1),
    "go-to": () => root.querySelector(".dkd-goto")?.select(),
    slower: () => cursor.set("speed", SPEEDS.findLast((s) => s < cursor.get("speed")) ?? SPEEDS[0]),
    faster: () => cursor.set("speed", SPEEDS.find((s) => s > cursor.get("speed")) ?? SPEEDS.at(-1)),
    worst: (by) => store.header && jump(store.header.worst[store.joint()], Number(by)),
    anew: (by) => store.header && jump(store.header.anew, Number(by)),
    joint: (by) => cursor.set("joint", cycle(cursor.get("joint_names"), cursor.get("joint"), Number(by))),
    layer: (name) => cursor.setLayer(name, !cursor.get("layers")[name]),
    pin: () => {
      const { x, y } = store.shown ? store.cell() : {};
      cursor.set("cell", cursor.get("cell") || x === undefined ? null : [x, y]);
    },
    clear: () => {
      cursor.set("cell", null);
      cursor.set("range", null);
    },
  };
}

// Let the shortcut table act on root while it has the focus, and keep the keys from JupyterLab.
export function keys(root, store, cursor, signal, more = {}) {
  const act = { ...actions(root, store, cursor), ...more };
  const table = new Map(SHORTCUTS.flatMap((s) => s.keys.map((key) => [key, s.action])));
  let repeats = 0;
  root.tabIndex = 0;
  root.dataset.lmSuppressShortcuts = "true";
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const typing = target.matches("input[type=number], input[type=text], select");
    if (typing && event.key === "Escape") root.focus({ preventScroll: true });
    if (typing) return event.stopPropagation();
    const native = target.matches("button, input, summary") && (event.key === " " || event.key === "Enter");
    const ownSlider = target.matches("input[type=range]:not(.dkd-slider)") && event.key.startsWith("Arrow");
    if (native || ownSlider || event.key === "Tab") return event.stopPropagation();
    const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
    const action = table.get(event.shiftKey ? `Shift+${key}` : key) ?? (event.shiftKey ? table.get(key) : undefined);
    const [name, argument] = action?.split(":") ?? [];
    if (!act[name]) return;
    repeats = event.repeat ? repeats + 1 : 0;
    act[name](argument, repeats);
    event.preventDefault();
    event.stopPropagation();
  };
  root.addEventListener("keydown", onKey, { signal });
  // A click anywhere in the view gives it the focus; JupyterLab would take it for the cell.
  root.addEventListener(
    "pointerdown",
    (event) => {
      if (!event.target.closest("button, input, select, a, textarea")) root.focus({ preventScroll: true });
    },
    { signal },
  );
  return act;
}
