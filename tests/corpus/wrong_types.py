"""Every public name of ``dkd`` and ``widgets``, called with arguments of wrong types: each is refused by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import dkd
import widgets
from dkd.errors import DKDError
from dkd.sessions.content import ModelFile, VideoFile
from tests.corpus.arguments import _tiny, _trace, _track
from tests.corpus.cases import Case, Use
from tests.support.dotted_people import dotted_person, quick

KIND = "wrong types of arguments"
WRONG = {"None": None, "text": "1", "a number": -1, "a list": [], "an object": object()}
# What is right for an annotation with one of these words in it.
_FITS = {
    "None": ("None", "Any", "bool"),
    "text": ("str", "Any", "bool"),
    "a number": ("int", "float", "Any", "bool"),
    "a list": ("Sequence[", "Iterable[", "list[", "tuple[", "Any", "bool", "ndarray"),
    "an object": ("bool",),
}
# What the library makes for its users; and a dictionary.
_RESULTS = {"MODELS", "Diagnosis", "Proposal", "SamePerson", "Study", "StudySettings", "StudyView"}
# Any object may be a title or a text that is shown.
_OPEN = {("Question", "check"), ("Question", "answer"), ("Number", "right")}


@cache
def _right_values() -> dict[str, Callable[[], Any]]:
    """Something that fits, by the first word that is found in the annotation."""
    return {
        "Mapping[str, TraceLike]": lambda: {"anna": _trace()},
        "Trace": _trace,
        "Diagnosis": lambda: dkd.diagnose(_trace()),
        "dict[str, VideoPoseModel]": lambda: {"a": _tiny()},
        "VideoPoseModel": _tiny,
        "Clip": lambda: dkd.Clip.from_array(np.zeros((4, 96, 160, 3), np.uint8)),
        "PoseTrack": _track,
        "Study": lambda: "nowhere",
        "TrainConfig": quick,
        "AblationPlan": lambda: dkd.AblationPlan("laptop", {"a": {}}),
        "VideoFile": lambda: VideoFile("a.mp4", "0" * 64, 4),
        "ModelFile": lambda: ModelFile("dkd-mobilenetv2", "0" * 64),
        "Tensor": lambda: torch.zeros(4, 4),
        "Number | Choice": lambda: widgets.Number(3),
        "RenderSetConfig": dkd.RenderSetConfig,
        "Skeleton": lambda: "penn_action",
        "PersonSequence": lambda: dotted_person(0, 2),
        "Method": lambda: dkd.Method("a", _tiny()),
        "DataFrame": lambda: pd.DataFrame({"model": ["a"]}),
        "ndarray": lambda: np.zeros((4, 13, 2)),
        "Mapping": dict,
        "dict": dict,
        "Sequence": list,
        "Iterable": list,
        "tuple": tuple,
        "Path": lambda: "nowhere",
        "str": lambda: "nowhere",
        "int": lambda: 1,
        "float": lambda: 1.0,
        "Any": _trace,
    }


def _right(annotation: str) -> Any:
    return next(make for word, make in _right_values().items() if word in annotation)()


def _names() -> Iterator[tuple[str, Any]]:
    for module in (dkd, widgets):
        for name in module.__all__:
            if name not in _RESULTS:
                yield f"{module.__name__}.{name}", getattr(module, name)


def _tries(function: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    needed = {p.name: _right(str(p.annotation)) for p in named if p.default is p.empty}
    for parameter in named:
        annotation = re.sub(r"(?<=Mapping|Literal)\[.*?\]", "", str(parameter.annotation))
        if (function.__name__, parameter.name) in _OPEN:
            continue
        for what, value in WRONG.items():
            is_default = value is None and parameter.default is None
            if not is_default and not any(word in annotation for word in _FITS[what]):
                yield f"{parameter.name} = {what}", {**needed, parameter.name: value}


def _refuses_all(function: Any, folder: Path) -> Use:
    tries = list(_tries(function))

    def use() -> None:
        wrong: list[str] = []
        refused: DKDError | None = None
        for about, arguments in tries:
            try:
                made = function(**arguments)
                if inspect.isgenerator(made):
                    next(made, None)
                wrong.append(f"{about} is accepted")
            except DKDError as error:
                refused = error
            except Exception as error:
                wrong.append(f"{about}: {type(error).__name__}: {error}"[:120])
        assert not wrong, "; ".join(wrong)
        if refused is not None:
            raise refused

    return use


def cases() -> Iterator[Case]:
    for name, function in _names():
        has_tries = any(True for _ in inspect.signature(function).parameters)
        yield Case(KIND, name, "refused" if has_tries else "right", partial(_refuses_all, function))
