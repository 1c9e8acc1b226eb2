"""Messages as compressed blocks of a page: what a kernel would send is stored, and read by ``page/blocks.js``.

A block is compressed with zlib. In it are the length of the JSON in bytes (uint32, little-endian), the JSON of a
message (:func:`widgets.core.wire.write_message`), and its buffers, one after the other; the message's ``parts`` say how
long each is.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import numpy as np

from widgets.core.wire import Message

STORED, SMALLEST = 0, 9  # levels of zlib: pictures are compressed already


def pack(message: Message, level: int = SMALLEST) -> bytes:
    """Return a message as a block."""
    content, buffers = message
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")
    return zlib.compress(struct.pack("<I", len(text)) + text + b"".join(buffers), level)


def unpack(block: bytes) -> Message:
    """Return the message of a block."""
    raw = zlib.decompress(block)
    (length,) = struct.unpack_from("<I", raw)
    content = json.loads(raw[4 : 4 + length])
    buffers, at = [], 4 + length
    for _, dtype, shape in content["parts"]:
        size = int(np.prod(shape, dtype=np.int64)) * (1 if dtype == "bytes" else np.dtype(dtype).itemsize)
        buffers.append(raw[at : at + size])
        at += size
    return content, buffers


def as_text(block: bytes) -> str:
    """Return a block as text that stands in a page: base64 has no character that ends a script."""
    return base64.b64encode(block).decode()


def in_script(value: Any) -> str:
    """Return a value as JSON that stands in a script of a page, whatever names and notes contain.

    A browser ends a script at ``</script`` and reads on differently after ``<!--``: no ``<`` is left. In JSON, it can
    only be in a text, where the escape means the same.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
