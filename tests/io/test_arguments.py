"""What ``checked`` takes for the right type of an argument, and what it says of a wrong one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pytest

from dkd import Trace
from dkd.errors import ArgumentError, ConfigError, checked

if TYPE_CHECKING:
    from dkd.tracking.protocols import TraceLike
    from dkd.video.clip import Clip


class Runs(Protocol):
    def run(self) -> int: ...


Cancel = Callable[[], bool]
Pair = tuple[int, int]


@checked
def called(
    path: str | Path,
    number: int | None = None,
    *names: Any,
    many: Sequence[str] = (),
    settings: Mapping[str, int] | None = None,
    trace: TraceLike | None = None,
    clip: Clip | None = None,
    cancel: Cancel | None = None,
    pair: Pair | None = None,
    share: float = 0.5,
    runs: Runs | None = None,
    values: np.ndarray | None = None,
    **others: Any,
) -> str:
    """Return what it was given."""
    return f"{path} {number} {names} {others}"


class _Trace:
    clip = joints = scores = None


class _Runner:
    def run(self) -> int:
        return 1


@pytest.mark.parametrize(
    "given",
    [
        {"number": np.int64(3)}, {"number": True}, {"share": 3}, {"share": np.float32(3)}, {"share": Fraction(1, 2)},
        {"many": np.array(["a"])}, {"many": ("a",)}, {"many": iter("ab")}, {"settings": {}}, {"trace": _Trace()},
        {"runs": _Runner()},
        {"cancel": lambda: False}, {"cancel": str}, {"pair": "the function itself checks what a Pair is"},
        {"values": [[1, 2]]}, {"values": range(3)}, {"other": object()}, {"number": None},
    ],
    ids=lambda given: f"{next(iter(given))}: {type(next(iter(given.values()))).__name__}",
)  # fmt: skip
def test_what_fits_is_passed_on(given: dict[str, Any]) -> None:
    assert called(Path("a"), **given).startswith("a ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": None}, "expected path of called() to be text or a path, got None"),
        ({"path": b"a"}, "expected path of called() to be text or a path, got b'a', an object of type bytes"),
        ({"number": "3"}, "expected number of called() to be a whole number or None, got '3', an object of type str"),
        ({"number": 3.0}, "expected number of called() to be a whole number or None, got 3.0, an object of type float"),
        ({"number": 1j}, "expected number of called() to be a whole number or None, got 1j"),
        ({"runs": _Trace()}, "expected runs of called() to be a Runs or None"),
        ({"share": "3"}, "expected share of called() to be a number, got '3'"),
        ({"many": "ab"}, "expected many of called() to be a list, got 'ab'"),
        ({"many": None}, "expected many of called() to be a list, got None"),
        ({"settings": [1]}, "expected settings of called() to be a dictionary or None"),
        ({"trace": "walk"}, "expected trace of called() to be a trace or None, got 'walk'"),
        ({"clip": 3}, "expected clip of called() to be a clip or None, got 3"),
        ({"cancel": True}, "expected cancel of called() to be a function or None, got True"),
        ({"values": "1, 2"}, "expected values of called() to be an array or None"),
        ({"number": ["x" * 10_000]}, "got ['xxxx"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError) as error:
        called(**{"path": "a", **given})
    assert said in str(error.value) and len(str(error.value)) < 200
    assert isinstance(error.value, ConfigError) and isinstance(error.value, TypeError)


def test_python_itself_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'path'"):
        called()  # type: ignore[call-arg]


def test_a_checked_name_still_tells_what_it_is() -> None:
    assert called.__doc__ == "Return what it was given." and list(inspect.signature(called).parameters)[0] == "path"
    assert list(inspect.signature(Trace).parameters)[:3] == ["model", "clip", "box"]
