"""``save_moments``: a gallery of moments as one HTML file, with the video around some of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from dkd.errors import ConfigError
from dkd.tracking.protocols import TraceLike
from widgets.core.wire import write_message
from widgets.page.about import CODE, facts_about
from widgets.page.choices import check_page, part_of, shown_first
from widgets.page.contents import Contents, in_page, libraries
from widgets.page.filling import AROUND, MB, Steps, Stopped, fill
from widgets.page.html import still_picture
from widgets.page.packing import pack
from widgets.page.page import FORMAT, MAX_MB, SavedPage, write_page
from widgets.page.pictures import looks

GALLERY = "evaluation/gallery.js"
_LEFT = "of which {:.1f} are left of max_mb"


@dataclass(frozen=True)
class VideoMoment:
    """A moment whose video is in the page.

    Attributes:
        key: of its item.
        trace: makes the run; it is called once, and the run is closed when it is in the page.
        frame, joint: what is shown first.
    """

    key: str
    trace: Callable[[], TraceLike]
    frame: int
    joint: str


def save_moments(
    moments: Sequence[VideoMoment],
    items: Sequence[Mapping[str, Any]],
    traits: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    around: int,
    caption: str = "",
    licence: str = "",
    max_mb: float = MAX_MB,
    pictures: str = "auto",
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> SavedPage:
    """Write a gallery as one HTML file, completely or not at all; see ``Gallery.to_html`` of the evaluation.

    Args:
        moments: those whose video is in the page, at least one; the first one is shown first.
        items: all items of the gallery.
        traits: the other traits of the gallery that its module reads.
        path: the file, ``.html``; an existing one is replaced.
        around: frames before and after a moment that its video has.
        caption, licence, max_mb, pictures, progress, cancel: as for :func:`widgets.save_page`.

    Raises:
        ConfigError: as for :func:`widgets.save_page`; there is no moment; or ``around`` is negative.
        DKDError: a run cannot be made.
        StorageError: the file cannot be written.
    """
    path = check_page(path, max_mb)
    if not moments:
        raise ConfigError("expected at least one moment whose video is in the page, got none")
    if around < 0:
        raise ConfigError(f"expected the number of frames before and after a moment, 0 or more, got {around}")
    choice = looks(pictures)
    blocks: list[bytes] = []

    def add(block: bytes) -> int:
        blocks.append(block)
        return len(blocks) - 1

    modules = libraries("page/page.js", add, [GALLERY])
    gallery = {"module": GALLERY, "traits": dict(traits), "items": add(pack(write_message({"items": list(items)})))}
    expected = AROUND + sum(in_page(len(block)) for block in blocks)
    room = max_mb * MB - expected
    notify = Steps(progress, cancel, len(moments) * 2 * (2 * around + 1))
    people: list[dict[str, Any]] = []
    frames = arithmetic = 0
    seen: list[str] = []
    title = still = ""
    try:
        for left, moment in zip(_down(len(moments)), moments, strict=True):
            trace = moment.trace()
            with closing(trace):
                part = part_of(trace, range(max(0, moment.frame - around), min(len(trace), moment.frame + around + 1)))
                contents = Contents({moment.key: trace}, part, blocks, "fewer moments, or fewer frames around them")
                size, look, count = fill(contents, choice, [moment.frame], room / left, notify, got=_LEFT)
                room -= contents.size
                (person,) = contents.people
                shown = shown_first(trace, part, moment.frame, moment.joint)
                about = {"look": str(look), "arithmetic": count, "facts": facts_about(trace)}
                people.append({**person, **about, "pictures": contents.to_json()["pictures"], "shown": shown})
                frames, arithmetic, expected = frames + len(part), arithmetic + count, expected + size - AROUND
                seen.append(str(look))
                if not still:
                    still, title = still_picture(trace, moment.frame), f"Where it fails · {trace.model_name}"
    except Stopped:
        return SavedPage(path, 0.0, 0.0, frames, 0, "", complete=False)
    first = people[0]
    whole = {
        "format": FORMAT, "people": people, "gallery": gallery, "arrange": "moments", "bookmarks": [], "code": CODE,
        **{name: first[name] for name in ("shown", "pictures", "look", "arithmetic")},
        "chunk": contents.to_json()["chunk"], "views": [], **modules, "caption": caption, "licence": licence,
    }  # fmt: skip
    written = write_page(path, title, still, whole, blocks)
    return SavedPage(path, written / MB, expected / MB, frames, arithmetic, " or ".join(dict.fromkeys(seen)))


def _down(count: int) -> Iterator[int]:
    """Count down to 1."""
    return iter(range(count, 0, -1))
