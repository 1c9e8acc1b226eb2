"""What a case of the corpus is: how its input is made, how it is used, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

OUTCOMES = ("right", "warned", "refused")
Use = Callable[[], Sequence[str] | None]


class Case(NamedTuple):
    """One bad or odd input.

    Attributes:
        kind: row of the table in docs/reliability.md.
        name: what is odd.
        outcome: ``"right"``: it is read without a word. ``"warned"``: it is read, and a warning says what is odd.
            ``"refused"``: a typed error.
        make: writes the input into an empty folder, which is also the current one, and returns what uses it. That
            raises AssertionError if anything that it read is wrong, and returns the warnings that it was given.
    """

    kind: str
    name: str
    outcome: str
    make: Callable[[Path], Use]


def uses(work: Callable[[], Any], right: Callable[[Any], object] | None = None) -> Use:
    """Return what does ``work``, compares the result by ``right``, and reports the warnings of the result."""

    def use() -> Sequence[str]:
        found = work()
        assert right is not None, f"accepted: {found!r}"[:300]
        assert right(found) is not False, f"wrong: {found!r}"[:300]
        said = getattr(found, "notes", None) or getattr(found, "warnings", None) or ()
        return [str(one) for one in said]

    return use
