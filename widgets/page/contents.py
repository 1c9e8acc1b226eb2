"""Contents of a page: the blocks with a run's messages, and how much of it fits into a size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dkd.tracking.protocols import TraceLike
from widgets.core.assets import module, needed_folders
from widgets.core.library import packed, without_comments
from widgets.core.wire import write_message
from widgets.page.cutting import CHUNK, exact_detail, part_detail, part_header, part_records
from widgets.page.packing import STORED, pack
from widgets.page.pictures import STILLS, Look, encode
from widgets.page.recorded import RecordedView

_AROUND = 60  # bytes of a block's element
SAMPLES = 5  # frames whose sizes stand for all

Notify = Callable[[], None]


def libraries(start: str, add: Callable[[bytes], int], others: Sequence[str] = ()) -> dict[str, Any]:
    """Add the modules that a page runs to its blocks, and return where they are.

    Args:
        start: the module that is started, such as ``"page/page.js"``.
        add: adds a block and returns its number.
        others: other modules that it may open.
    """
    found: dict[str, Any] = {}

    def visit(folder: str) -> None:
        if folder in found:
            return
        needs = needed_folders(folder)
        key, content = packed(folder)
        found[folder] = {"key": key, "needs": needs, "content": add(content)}
        for other in needs:
            visit(other)

    for name in (start, *others):
        visit(name.partition("/")[0])
    loader = module("core/loader.js")
    return {"start": start, "libraries": found, "loader": [loader.key, without_comments(loader.source)]}


def in_page(length: float) -> float:
    """Return the bytes that a block of this length takes in a page: base64, and its element."""
    return 4 * -(-length // 3) + _AROUND


class Contents:
    """Blocks of a page, and where what is.

    Args:
        traces: the runs by name.
        frames: the frames of each that the page has.
        blocks: blocks that the page has already; these are added to them.
        less: what can be left out of the page, in words.

    Attributes:
        blocks: the blocks by number.
        people: of each run, numbers of its blocks: ``header``, ``records`` (per chunk), ``details`` (by frame).
        pictures: numbers of the blocks of pictures, per chunk.
        size: bytes in the page of the blocks that were added here.
        look: of the pictures.
    """

    def __init__(
        self, traces: Mapping[str, TraceLike], frames: range, blocks: list[bytes] | None = None, less: str = ""
    ):
        self.traces, self.frames, self.less = traces, frames, less
        self.blocks: list[bytes] = [] if blocks is None else blocks
        self.people: list[dict[str, Any]] = [{"name": name, "records": [], "details": {}} for name in traces]
        self.pictures: list[int] = []
        self.size = 0.0
        self.look = STILLS[0]
        self._samples: list[list[np.ndarray]] = []

    @property
    def first(self) -> TraceLike:
        """The run whose pictures are shown: all are of one clip."""
        return next(iter(self.traces.values()))

    @property
    def has_kernels(self) -> bool:
        """Whether there is arithmetic to show."""
        return bool(self.first.readout.shape[1])

    def add(self, block: bytes) -> int:
        """Add a block and return its number."""
        self.blocks.append(block)
        self.size += in_page(len(block))
        return len(self.blocks) - 1

    def add_libraries(self, views: Sequence[RecordedView]) -> dict[str, Any]:
        """Add the modules of all views, and what Python answered to the recorded ones, and return where they are."""
        recorded = [
            {
                "module": view.module, "traits": dict(view.traits), "keys": {k: list(v) for k, v in view.keys.items()},
                "lists": {k: [name, list(v)] for k, (name, v) in view.lists.items()},
                "note": view.note, "exact": bool(view.exact),
                "answers": {key: self.add(pack(message)) for key, message in view.answers.items()},
            }
            for view in views
        ]  # fmt: skip
        return {**libraries("page/page.js", self.add, [view.module for view in views]), "views": recorded}

    def add_runs(self, look: Look, notify: Notify) -> None:
        """Add headers and records of all runs, and the pictures of the first."""
        self.look = look
        for person, trace in zip(self.people, self.traces.values(), strict=True):
            is_first = person is self.people[0]
            person["header"] = self.add(pack(write_message(part_header(trace, self.frames))))
            for chunk in self._chunks():
                records, pictures = part_records(trace, self.frames, chunk)
                person["records"].append(self.add(pack(records)))
                if is_first:
                    self.pictures.append(self.add(_pack_pictures(encode(pictures, look))))
                for _ in chunk:
                    notify()

    def encode_again(self, look: Look) -> None:
        """Replace the pictures by smaller ones."""
        self.look = look
        for number, chunk in zip(self.pictures, self._chunks(), strict=True):
            self.size -= in_page(len(self.blocks[number]))
            self.blocks[number] = _pack_pictures(encode([self.first.picture(t) for t in chunk], look))
            self.size += in_page(len(self.blocks[number]))

    def add_details(self, order: Sequence[int], room: float, notify: Notify) -> int:
        """Add what the arithmetic of frames needs, as long as there is room.

        Args:
            order: frames of the runs, the most important first.
            room: bytes of the page.
            notify: called after each frame.

        Returns:
            The number of frames that are in the page, of each run.
        """
        count = 0
        for frame in order:
            for person, trace in zip(self.people, self.traces.values(), strict=True):
                if trace.previous(frame) is None:
                    continue
                block = pack(part_detail(trace, frame, self.frames.start))
                if in_page(len(block)) > room:
                    return count
                room -= in_page(len(block))
                person["details"][frame - self.frames.start] = self.add(block)
            count += 1
            notify()
        return count

    def add_exact(self, frames: Sequence[int]) -> None:
        """Add what the arithmetic of frames, all of them matched, needs in float32."""
        for frame in frames:
            for person, trace in zip(self.people, self.traces.values(), strict=True):
                if trace.previous(frame) is not None:
                    block = pack(exact_detail(trace, frame, self.frames.start))
                    person["details"][frame - self.frames.start] = self.add(block)

    def expected_exact(self, frames: Sequence[int]) -> float:
        """Estimate the bytes in a page of what :meth:`add_exact` adds, from one frame."""
        if not frames:
            return 0.0
        return len(frames) * len(self.traces) * in_page(len(pack(exact_detail(self.first, frames[0], 0))))

    def expected(self) -> tuple[float, float]:
        """Estimate the bytes in a page of all records, and of all details, from a few frames."""
        some = self.samples()
        records = [len(pack(part_records(self.first, self.frames, range(t, t + 1))[0])) for t in some]
        matched = [t for t in some if self.has_kernels and self.first.previous(t) is not None]
        details = [len(pack(part_detail(self.first, t, self.frames.start))) for t in matched]
        runs = len(self.frames) * len(self.traces)
        return runs * 4 / 3 * float(np.mean(records)), runs * in_page(float(np.mean(details))) if details else 0.0

    def expected_pictures(self, look: Look) -> float:
        """Estimate the bytes in a page of all pictures, from a few frames."""
        chunks = [chunk[::3] for chunk in self._sampled()] if not look.film else self._sampled()
        sizes = [len(data) for chunk in chunks for data in encode(chunk, look)]
        return len(self.frames) * 4 / 3 * float(np.mean(sizes))

    def _sampled(self) -> list[list[np.ndarray]]:
        """Return the pictures of two chunks."""
        if not self._samples:
            chunks = list(self._chunks())
            for number in sorted({len(chunks) // 3, 2 * len(chunks) // 3}):
                self._samples.append([self.first.picture(t) for t in chunks[number]])
        return self._samples

    def samples(self) -> list[int]:
        """Return a few frames, evenly spaced."""
        count = min(SAMPLES, len(self.frames))
        places = np.linspace(self.frames.start, self.frames.stop - 1, count + 2)[1:-1] if count > 2 else self.frames
        return [int(round(t)) for t in places]

    def to_json(self) -> dict[str, Any]:
        """Return what is where."""
        return {"people": self.people, "pictures": {"type": self.look.type, "chunks": self.pictures}, "chunk": CHUNK}

    def _chunks(self) -> Iterator[range]:
        for first in range(self.frames.start, self.frames.stop, CHUNK):
            yield range(first, min(first + CHUNK, self.frames.stop))


def _pack_pictures(pictures: Sequence[bytes]) -> bytes:
    return pack(write_message({"pictures": list(pictures)}), STORED)


def spread(frames: range, first: Sequence[int]) -> list[int]:
    """Return all frames, ``first`` ones first, then the others so that the first n of them are evenly spaced."""
    order = dict.fromkeys(t for t in first if t in frames)
    bits = max(1, (len(frames) - 1).bit_length())
    for i in range(2**bits):
        place = int(format(i, f"0{bits}b")[::-1], 2)
        if place < len(frames):
            order.setdefault(frames[place])
    return list(order)
