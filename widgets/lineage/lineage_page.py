"""The lineage view as a page from a file shows it: what Python would answer, for all that a reader can ask there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from dkd.tracking.protocols import TraceLike
from widgets.core.wire import Message, read_message, write_message
from widgets.page.recorded import RecordedView

MOST = 200  # frames that a page compares, which has a matrix for each joint
_STEPS = 2**13  # in a cosine's unit: the rounded ones take two thirds of the space


def recorded_lineage(
    trace: TraceLike,
    other: TraceLike | None,
    traits: Mapping[str, Any],
    reliances: Mapping[str, Message],
    matrix: Callable[[str | None, bool], Message],
    picture: Callable[[TraceLike, int], bytes],
) -> RecordedView:
    """Record the lineage view of a trace.

    Args:
        trace: the trace of the columns.
        other: that of the rows; ``None`` if they are of ``trace``, too.
        traits: the view's state: ``kernel``, ``centred`` and ``reliance``.
        reliances: by joint, which channels it relies on, as the view gets it.
        matrix: makes the similarity for a joint (``None``: the whole kernels), with or without the clip's mean.
        picture: makes the picture of a frame.
    """
    answers: dict[str, Message] = {}
    frames: dict[str, Iterable[int]] = {"s": (), "t": ()}
    for joint in (None, *trace.skeleton.joints) if trace.kernels.size else ():
        for centred in (False, True):
            content = read_message(*matrix(joint, centred))
            frames = {"s": content["rows"].tolist(), "t": content["columns"].tolist()}
            content["values"] = np.rint(content["values"] * _STEPS).astype(np.float32) / np.float32(_STEPS)
            answers[RecordedView.key("matrix", joint, centred)] = write_message(content)
    pictures: dict[tuple[int, int], bytes] = {}
    for name, clip in (("s", trace if other is None else other), ("t", trace)):
        for t in frames[name]:
            if (id(clip), t) not in pictures:
                pictures[id(clip), t] = picture(clip, t)
            answers[RecordedView.key("pictures", name, t)] = write_message({"item": pictures[id(clip), t]})
    answers |= {RecordedView.key("reliance", joint): message for joint, message in reliances.items()}
    return RecordedView(
        "lineage/lineage.js", answers,
        keys={"matrix": ("joint", "centred"), "reliance": ("joint",)},
        lists={"pictures": ("images", ("s", "t"))},
        traits={**traits, "_reliances": list(reliances)},
    )  # fmt: skip
