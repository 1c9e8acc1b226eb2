// A widget's model, a cursor and a store that only remember what they were told: what a view's state needs of them.

/** A model with the given traits. `sent` has the messages to Python; `tell` and `change` are what Python does. */
export function plainModel(traits = {}) {
  const listeners = new Map();
  const values = { ...traits };
  const emit = (event, ...given) => {
    for (const listener of listeners.get(event) ?? []) listener(...given);
  };
  return {
    sent: [],
    isGone: false,
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {},
    send(content) {
      if (this.isGone) throw new Error("the comm is closed");
      this.sent.push(content);
    },
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) =>
      listeners.set(
        event,
        (listeners.get(event) ?? []).filter((other) => other !== listener),
      ),
    tell: (content, buffers = []) => emit("msg:custom", content, buffers),
  };
}

/** A cursor over a clip of `n_frames` frames. */
export function plainCursor(traits = {}) {
  const values = { frame: 0, joint: "head", range: null, n_frames: 60, ...traits };
  return {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
    },
    seek(frame) {
      values.frame = frame;
    },
  };
}

/** A store with the header of a trace; `said` is what it says under the views. */
export function plainStore(header) {
  return {
    header,
    said: "",
    paintings: 0,
    say(text) {
      this.said = text;
    },
    schedule() {
      this.paintings += 1;
    },
  };
}

/** The buffer of a typed array, as a message brings it. */
export const bufferOf = (values) => new DataView(values.buffer, values.byteOffset, values.byteLength);
