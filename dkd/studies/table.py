"""The table of a study, ``study.csv``: one row for each person in each video.

=========== =========================================================================================================
column      value
=========== =========================================================================================================
``video``   path of a video, a folder of images, or a pattern such as ``im_%05d.png``; a relative one begins at the
            folder of the table
``person``  name of the person; ``person`` if empty
``box``     ``x0,y0,x1,y1`` in pixels, or ``find`` (also if empty) to search for the most confident person
``frame``   frame of the video that has the box; the first one of the part if empty
``start``   first frame; 0 if empty
``stop``    frame after the last one; the end of the video if empty
``labels``  file with the true joints, to measure the track against; none if empty. See :mod:`dkd.studies.labels`
any other   a group, such as ``condition`` or ``subject``; the results are stored by it
=========== =========================================================================================================

An apostrophe in front of text that a spreadsheet would take for a formula is no part of it
(:func:`dkd.io.escaping.csv_cell`): the video ``-1.mp4`` is written as ``'-1.mp4``.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from dkd.errors import ConfigError
from dkd.io.escaping import csv_cell, from_csv_cell
from dkd.io.files import atomic_path
from dkd.studies.columns import CLIP_COLUMNS, JOINT_COLUMNS
from dkd.studies.rows import Row, Rows

COLUMNS = ("video", "person", "box", "frame", "start", "stop", "labels")
FIND = "find"
SHOWN = 20  # bad rows that a message names
# A folder of results that begins with _ is not read by pyarrow, nor by what is built on it.
_GROUP = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def read_table(path: Path) -> list[Row]:
    """Read the table of a study as a list, to change it; see :func:`read_rows`.

    Raises:
        ConfigError: as for :func:`read_rows`.
    """
    return list(read_rows(path))


def read_rows(path: Path) -> Rows:
    """Read the table of a study.

    Raises:
        ConfigError: the file is missing or no table, or rows cannot be used; the message has a line for each of them.
    """
    problems: list[tuple[int, str]] = []  # by line
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            names = [name.strip() for name in lines.fieldnames or ()]
            lines.fieldnames = names
            groups = _groups(path, names)
            rows = Rows(_good_rows(lines, groups, os.fspath(path.parent.resolve()), problems), groups)
    except OSError as error:
        raise ConfigError(f"expected the table of a study at {path}: {error.strerror}; see dkd study init") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a table as CSV in UTF-8 in {path}, got {error}; export it again as CSV") from error
    if problems:
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        count = "a row" if len(problems) == 1 else f"{len(problems)} rows"
        shown = "\n  ".join(f"line {number}: {text}" for number, text in sorted(problems)[:SHOWN])
        raise ConfigError(f"{count} of {path} cannot be used:\n  {shown}{more}")
    if not rows:
        raise ConfigError(f"expected at least one row in {path}, got none; add videos to it")
    return rows


def _good_rows(
    lines: csv.DictReader[str], groups: Sequence[str], folder: str, problems: list[tuple[int, str]]
) -> Iterator[Row]:
    """Yield the rows that can be used; what is wrong with the others, and what is there twice, goes to ``problems``."""
    numbers, hashes = array("i"), array("Q")  # a dictionary of what was seen would be the largest thing in memory
    for cells in lines:
        number = lines.line_num
        if not any(cells.values()):
            continue  # an empty line of a spreadsheet
        try:
            row = _row(number, cells, groups)
        except ValueError as error:
            problems.append((number, str(error)))
            continue
        video = os.path.normpath(os.path.join(folder, row.video))  # also if it is written in another way
        facts = json.dumps([video, row.person, row.start, row.stop]).encode()
        hashes.append(int.from_bytes(hashlib.blake2b(facts, digest_size=8).digest(), "little"))
        numbers.append(number)
        yield row
    _, first, which = np.unique(np.asarray(hashes), return_index=True, return_inverse=True)
    for i in np.flatnonzero(first[which] != np.arange(len(numbers))):
        problems.append((numbers[i], f"the same video, person and frames as line {numbers[first[which[i]]]}"))


def _groups(path: Path, names: Sequence[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if "video" not in names or twice:
        found = ", ".join(names) or "missing"
        problem = f"two columns are called {twice[0]!r}" if twice else f"the columns are {found}"
        raise ConfigError(
            f"expected columns of different names, separated by commas, one of them 'video', in {path}, but {problem}"
        )
    groups = [name for name in names if name not in COLUMNS]
    check_groups(groups)
    return groups


def check_groups(names: Iterable[str]) -> None:
    """Check the names of groups: they are columns of the results, beside those that are always there.

    Raises:
        ConfigError: a name cannot be used.
    """
    for name in names:
        if name in (*COLUMNS, *CLIP_COLUMNS, *JOINT_COLUMNS):
            raise ConfigError(f"expected another name for the group {name!r}: the results have a column of that name")
        if not _GROUP.fullmatch(name):
            raise ConfigError(
                f"expected names of groups of letters, digits and _, a letter first, got a column {name!r}; rename it"
            )


def _row(number: int, cells: dict[str, str | None], groups: Iterable[str]) -> Row:
    if None in cells or any(value is None for value in cells.values()):
        count = len([name for name in cells if name is not None])
        raise ValueError(f"expected {count} cells, as in the first line; put a box in quotes")
    text = {name: from_csv_cell((value or "").strip()) for name, value in cells.items()}
    if not text["video"]:
        raise ValueError("expected the path of a video, got nothing")
    start, stop = _number(text, "start") or 0, _number(text, "stop")
    frame = _number(text, "frame")
    if stop is not None and stop <= start:
        raise ValueError(f"expected stop above start, got start={start} and stop={stop}")
    if frame is not None and not start <= frame < (float("inf") if stop is None else stop):
        raise ValueError(f"expected the frame of the box between start and stop, got {frame}")
    labels = text.get("labels", "")
    if labels:
        _check_labels(labels)
    return Row(
        number, text["video"], text.get("person") or "person", _box(text.get("box", "")), frame, start, stop,
        {name: text[name] for name in groups}, labels,
    )  # fmt: skip


def _number(text: dict[str, str], name: str) -> int | None:
    value = text.get(name, "")
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError(f"expected {name} to be the number of a frame, 0 or more, got {value!r}")
    return int(value)


def _box(value: str) -> tuple[float, float, float, float] | None:
    if value.lower() in ("", FIND):
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in value.split(","))
    except ValueError:
        raise ValueError(f"expected box to be x0,y0,x1,y1 in pixels, or {FIND!r}, got {value!r}") from None
    if not (x0 < x1 and y0 < y1 and all(abs(edge) < 1e6 for edge in (x0, y0, x1, y1))):
        raise ValueError(f"expected a box with x0 < x1 and y0 < y1, got {value!r}")
    return x0, y0, x1, y1


def _check_labels(value: str) -> None:
    """Raise ValueError unless a path ends as a file of labels does."""
    from dkd.formats.files import FORMATS  # here: it takes long to import, and most tables have no labels

    endings = {ending for one in FORMATS.values() if not one.draws for ending in one.endings} | {".mat"}
    if not value.lower().endswith(tuple(endings)):
        raise ValueError(f"expected labels that end in {', '.join(sorted(endings))}, got {value!r}")


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write the table of a study, completely or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    groups = list(dict.fromkeys(name for row in rows for name in row.groups))
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([*COLUMNS, *groups])
        for row in rows:
            box = FIND if row.box is None else ",".join(f"{edge:.12g}" for edge in row.box)
            numbers = ["" if number is None else number for number in (row.frame, row.start, row.stop)]
            words = [row.labels, *(row.groups.get(name, "") for name in groups)]
            lines.writerow([csv_cell(row.video), csv_cell(row.person), box, *numbers, *map(csv_cell, words)])
