"""Views of a page besides the workbench: the modules of the notebook, with the answers that Python would give them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from widgets.core.wire import Message


@dataclass(frozen=True)
class RecordedView:
    """A view as a page shows it, below the workbench.

    Attributes:
        module: its module, such as ``"coherence/debugger.js"``.
        answers: what Python would answer, by request: its type and the values of ``keys``, see :meth:`key`.
        keys: names of the values by which requests of a type differ. All other values come back as they were asked.
        lists: types whose answer has a list of others' ``item``, one for each value: ``{"pictures": ("images", ("s",
            "t"))}`` makes ``images`` from the answers ``pictures/s/3`` and ``pictures/t/7`` to ``s=3, t=7``.
        traits: the widget's traits that its module reads.
        note: what the view of a page does not have, in a sentence above it.
        whole: whether it is of the whole clip, so that it cannot stand in a page of a part.
        exact: frames of the trace whose arithmetic the page has in float32, as the view shows its numbers.
    """

    module: str
    answers: Mapping[str, Message]
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    whole: bool = True
    exact: Collection[int] = ()

    @staticmethod
    def key(kind: str, *values: object) -> str:
        """Return the name of the answer to a request, as ``page/recorded.js`` makes it."""
        return "/".join([kind, *(_as_text(value) for value in values)])


def _as_text(value: object) -> str:
    """Return a value as JavaScript writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
