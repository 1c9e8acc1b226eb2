"""Views of a page besides the workbench: the modules of the notebook, with the answers that Python would give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        traits: the widget's traits that its module reads.
    """

    module: str
    answers: Mapping[str, Message]
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def key(kind: str, *values: object) -> str:
        """Return the name of the answer to a request, as ``page/recorded.js`` makes it."""
        return "/".join([kind, *("" if value is None else str(value) for value in values)])
