"""Messages of the library in the words of the command line: they speak of options, not of arguments in Python."""

from __future__ import annotations

import logging
import re

# What a message says to somebody who writes Python → what it says to somebody who types a command.
_SAID: tuple[tuple[str, str], ...] = (
    (r"say where it is: session\.open\(video=PATH\)", "put it next to the session, or convert with --video PATH"),
    (r"; trace\.run\(\) continues", ""),
    (r"; choose one with track=NUMBER", ""),
    (r"; or add format=…", ""),
    (r"; (?:plot|export) the traces, or leave out heatmap=True", "; give a session, or leave out --heatmap"),
    (r"video=…, its path or a clip", "--video with its path"),
    (r"In a script, call render_set under .*?; with little memory, use workers=1", "With little memory: --workers 1"),
    (r"the next call continues", "the same command continues"),
    (r"size=\(w, h\)", "--size WxH"),
    (r"frames=range\(first, stop\), or fewer people", "--frames FIRST:STOP, or fewer people"),
    (r"max_mb=", "--max-mb "),
    (r"\b(fps|video)=…", r"--\1"),
    (r"\bfps=([\w.]+) is for images only", r"--fps \1 is for images only"),
    (r"leave fps out", "leave --fps out"),
    (r"\b(engine|pictures)='([\w-]+)'", r"--\1 \2"),
    (r"Clip\('(.*?)'\)", r"\1"),
)


def as_options(message: str) -> str:
    """Return a message for the command line. Control characters, as in odd names of files, are shown, not obeyed."""
    for python, command in _SAID:
        message = re.sub(python, command, message)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: ascii(found[0])[1:-1], message)


class Spoken(logging.Formatter):
    """Formats what the library logs for the command line."""

    def format(self, record: logging.LogRecord) -> str:
        return as_options(super().format(record))
