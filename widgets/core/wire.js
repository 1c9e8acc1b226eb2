// A message's parts, out of its buffers.

// A message's buffer as a typed array. It is copied: the buffer lies at any offset, and would keep the whole message.
export function unpack(view, Type) {
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
