"""Filling a page: what of a run fits into its size, in the order of what matters most."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from dkd.errors import ConfigError
from widgets.page.contents import Contents, spread
from widgets.page.pictures import Look

_log = logging.getLogger(__name__)
MB = 10**6
AROUND = 150_000  # bytes of a page besides its blocks: the still picture, texts, numbers of blocks
_SHARE = 0.5  # of the room, what pictures take at most if the arithmetic of all frames does not fit


class Stopped(Exception):
    """``cancel`` returned true."""


class Steps:
    """Counts steps, and stops between two of them."""

    def __init__(self, progress: Callable[[int, int], object] | None, cancel: Callable[[], bool] | None, total: int):
        self._progress, self._cancel, self._total, self._done = progress, cancel, total, 0

    def __call__(self) -> None:
        if self._cancel is not None and self._cancel():
            raise Stopped
        self._done = min(self._done + 1, self._total)
        if self._progress is not None:
            self._progress(self._done, self._total)


def fill(
    contents: Contents,
    choice: Sequence[Look],
    important: Sequence[int],
    room: float,
    notify: Steps,
    exact: Collection[int] = (),
    got: str = "got max_mb={:g}",
) -> tuple[float, Look, int]:
    """Fill a page with its runs.

    Args:
        contents: of the page.
        choice: how pictures may look, the best first.
        important: frames of the runs that keep their arithmetic if there is no room for all; worst moments follow.
        room: bytes of the blocks of ``contents`` in the page.
        notify: called after each step.
        exact: frames of the runs whose arithmetic is exact, whatever it takes.
        got: how an error names the size that there is.

    Returns:
        The expected size of the page in bytes, the look, and in how many frames there is arithmetic.

    Raises:
        ConfigError: the frames do not fit.
        Stopped: ``notify`` stopped it.
    """
    exact = sorted(t for t in exact if t in contents.frames and contents.first.previous(t) is not None)
    records, details = contents.expected()
    fixed = contents.size + records + contents.expected_exact(exact)
    sizes = [(look, contents.expected_pictures(look)) for look in choice]
    fits = [(look, size) for look, size in sizes if fixed + size + details <= room]
    fits = fits or [(look, size) for look, size in sizes if size <= _SHARE * (room - fixed)] or sizes[-1:]
    look, size = fits[0]
    expected = min(room, fixed + size + details) + AROUND
    _log.info("the page will have about %.1f MB; its pictures are %s", expected / MB, look)
    contents.add_runs(look, notify)
    contents.add_exact(exact)
    while contents.size > room:
        if look is choice[-1]:
            least, most = (contents.size + AROUND) / MB, (room + AROUND) / MB
            raise ConfigError(
                f"{len(contents.frames)} frames need at least {least:.1f} MB, {got.format(most)}; give {contents.less}"
            )
        look = choice[choice.index(look) + 1]
        contents.encode_again(look)
    count = 0
    if contents.has_kernels:
        worst = [t for one in _worst(contents) for t in one]
        order = [t for t in spread(contents.frames, [*important, *worst]) if t not in exact]
        count = len(exact) + contents.add_details(order, room - contents.size, notify)
    return expected, look, count


def _worst(contents: Contents) -> list[list[int]]:
    from dkd.analysis.moments import worst_frames
    from dkd.video.protocols import mean_rate

    trace = contents.first
    drift, rate = trace.kernel_drift(), mean_rate(trace.clip)
    return [worst_frames(trace.scores[:, j], drift, rate) for j in range(len(trace.skeleton))]
