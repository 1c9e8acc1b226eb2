"""Every public method of what ``dkd`` and ``widgets`` export, with arguments of wrong types, and with odd ones.

An argument of a wrong type is refused by name. An odd one of the right type, such as NaN or an unknown name, is refused
by a typed error or used; it never ends in an error from deep inside.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import dkd
import widgets
from dkd.ablations.table import AblationResults
from dkd.errors import _TESTS, DKDError, _globals, _kinds
from dkd.evaluation.compare import Comparison
from dkd.evaluation.run import _write_index
from dkd.sessions.content import ModelFile, VideoFile
from dkd.studies.compare import GroupComparison
from dkd.video.samples import get_sample
from tests.corpus.arguments import INF, NAN, _tiny, _trace, _track
from tests.corpus.cases import Case, Use
from tests.corpus.wrong_types import _FITS, WRONG, _right
from tests.support.dotted_people import dotted_person, quick

KIND = "wrong types of arguments of methods"
# Odd values by a word of the annotation; for what an annotation leaves open, all of them and the wrong ones.
_LISTS = [
    (),
    [NAN],
    [None],
    ["a", 1],
    [[1], [2, 3]],
    np.zeros((2, 3)),
    np.full((4, 13, 2), NAN),
    range(3, 1),
    range(99),
]
_ODD: dict[str, list[Any]] = {
    "int": [-1, 999, 10**30],
    "float": [NAN, INF, -1.0],
    "str": ["", "no such", "<b>$x$</b>\n"],
    "Path": ["", "no/such/folder\0/a", "a.xyz"],
    "Sequence": _LISTS, "Iterable": _LISTS, "tuple": [*_LISTS, (NAN, 0, 1, 1), (5, 5, 1, 1)], "ndarray": _LISTS,
    "Mapping": [{"a": 1}, {1: None}],
}  # fmt: skip
_ANY = [*WRONG.values(), *(value for values in _ODD.values() for value in values)]
# Odd values make these work for long, or start work that others wait for.
_TYPES_ONLY = {"TrainingSession.step", "Study.run"}


def _clip() -> dkd.Clip:
    return dkd.Clip.from_array(np.zeros((4, 96, 160, 3), np.uint8))


def _view(name: str) -> Callable[[], Any]:
    return lambda: getattr(widgets, name)(_trace())


def _study() -> dkd.Study:
    return dkd.Study.create([get_sample("rendered_walk").path], "study")


def _evaluation() -> dkd.Evaluation:
    _write_index(Path("results"), [], {"n_frames": 4, "specs": {}, "given": {}})
    return dkd.Evaluation("results")


def _studio() -> widgets.Studio:
    studio = widgets.Studio(get_sample("rendered_walk").path)
    studio.range = range(2)
    return studio


def _study_view() -> widgets.StudyView:
    return widgets.StudyView(_study())


def _plan() -> dkd.AblationPlan:
    return dkd.AblationPlan("laptop", {"a": {}})


def _comparison() -> Comparison:
    table = pd.DataFrame([[0.5]], pd.Index(["a"]), pd.MultiIndex.from_tuples([("data", "PCK@0.2")]))
    return Comparison(table, ())


def _groups() -> GroupComparison:
    table = pd.DataFrame({"mean": [0.5], "units": [1]}, pd.Index(["a"], name="condition"))
    return GroupComparison("condition", "confidence", table, table, table, 0, 10, 0)


@cache
def _objects() -> dict[str, Callable[[], Any]]:
    """How to make an object of each class whose methods are tried; classes of class methods only need none."""
    return {
        "AblationPlan": _plan,
        "AblationResults": lambda: AblationResults(pd.DataFrame({"variant": ["a"]}), {}),
        "Anatomy": _view("Anatomy"),
        "Choice": lambda: widgets.Choice({"a": True, "b": "No."}),
        "Clip": _clip,
        "ClipFrames": lambda: dkd.ClipFrames(_clip()),
        "ClipRange": lambda: dkd.ClipRange(_clip(), 1, 3),
        "CoherenceDebugger": _view("CoherenceDebugger"),
        "Comparison": _comparison,
        "Conditions": dkd.Conditions,
        "Cursor": lambda: widgets.Cursor(4, ("head", "neck")),
        "Diagnosis": lambda: dkd.diagnose(_trace()),
        "Editor": _view("Editor"),
        "Evaluation": _evaluation,
        "EvaluationPanel": lambda: widgets.EvaluationPanel(folder="nowhere"),
        "GroupComparison": _groups,
        "ImageClip": lambda: dkd.ImageClip([np.zeros((96, 160, 3), np.uint8)] * 3),
        "JointKernels": _view("JointKernels"),
        "Kernels": _view("Kernels"),
        "Laboratory": _view("Laboratory"),
        "Lesson": lambda: widgets.Lesson("a", "b", 5),
        "Lineage": _view("Lineage"),
        "Live": lambda: dkd.Live(_tiny()).start(),
        "LiveView": lambda: widgets.LiveView(_tiny()),
        "Matching": _view("Matching"),
        "Method": lambda: dkd.Method("a", _tiny()),
        "Moments": lambda: dkd.worst(dkd.diagnose(_trace())),
        "Number": lambda: widgets.Number(3),
        "OneEuro": dkd.OneEuro,
        "PersonSequence": lambda: dotted_person(0, 2),
        "Player": _view("Player"),
        "PoseTrack": _track,
        "Question": lambda: widgets.Question("a", widgets.Number(3)),
        "Reinitialise": dkd.Reinitialise,
        "RenderSetConfig": dkd.RenderSetConfig,
        "Run": lambda: dkd.Run("run"),
        "Session": lambda: dkd.Session(VideoFile("a.mp4", "0" * 64, 4), ModelFile("dkd-mobilenetv2", "0" * 64), 0, 4),
        "Skeleton": lambda: dkd.get_skeleton("penn_action"),
        "Studio": _studio,
        "Study": _study,
        "StudySettings": dkd.StudySettings,
        "StudyView": _study_view,
        "Timeline": _view("Timeline"),
        "Trace": _trace,
        "TrackTrace": lambda: dkd.as_trace(_track()),
        "TrainConfig": quick,
        "TrainingPanel": lambda: widgets.TrainingPanel("nowhere"),
        "TrainingSession": lambda: dkd.TrainingSession("run", quick()),
        "TwoWayTrace": lambda: dkd.trace_person(_tiny(), _clip(), (10, 10, 90, 90), 2, progress=False),
        "Workbench": _view("Workbench"),
    }


@cache
def _known() -> dict[str, type]:
    """All classes of our loaded modules, by name."""
    ours = [module for name, module in sys.modules.items() if name.startswith(("dkd.", "widgets."))]
    return {
        name: one
        for module in ours
        for name, one in vars(module).items()
        if inspect.isclass(one) and one.__module__ == module.__name__
    }


def _methods(one: type) -> Iterator[tuple[str, Any]]:
    """Yield name and function of the public methods that a class has of our own classes, and that take arguments."""
    for name in dir(one):
        owner = next((owner for owner in one.__mro__ if name in vars(owner)), object)
        is_public = not name.startswith("_") or name in ("__getitem__", "__call__")
        if not is_public or not owner.__module__.startswith(("dkd.", "widgets.")):
            continue
        member = vars(owner)[name]
        if getattr(member, "__module__", owner.__module__) != owner.__module__:
            continue  # made by another library
        if inspect.isfunction(member) or isinstance(member, staticmethod | classmethod):
            yield name, member if inspect.isfunction(member) else member.__func__
        elif isinstance(member, property) and member.fset is not None:
            yield f"{name} =", member.fset


def _parameters(function: Any) -> list[inspect.Parameter]:
    found = list(inspect.signature(function).parameters.values())
    return [p for p in found if p.name not in ("self", "cls") and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def classes() -> dict[str, type]:
    """The exported classes, and those of what exported functions and their methods return, that have such methods."""
    found: dict[str, type] = {}
    waiting: list[Any] = [getattr(module, name) for module in (dkd, widgets) for name in module.__all__]
    while waiting:
        one = waiting.pop()
        if inspect.isclass(one):
            if one.__name__ in found or issubclass(one, Exception | torch.nn.Module):
                continue  # a network says itself which tensors it takes
            found[one.__name__] = one
            waiting += [function for _, function in _methods(one)]
        elif callable(one):
            words = re.findall(r"\w+", str(inspect.signature(one).return_annotation))
            here = vars(sys.modules[one.__module__])
            waiting += [meant for word in words if inspect.isclass(meant := here.get(word, _known().get(word)))]
    return {name: one for name, one in sorted(found.items()) if any(_parameters(f) for _, f in _methods(one))}


def _right_of(parameter: inspect.Parameter) -> Any:
    by_name = {"joint": "head", "box": (10, 10, 90, 90), "frames": 1, "callback": lambda *_: None}
    if parameter.name in by_name:
        return by_name[parameter.name]
    try:
        return _right(str(parameter.annotation))
    except StopIteration:  # another name of a type
        return 1


def _tries(function: Any) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield what is tried, the arguments, and whether they must be refused."""
    named = _parameters(function)
    needed = {p.name: _right_of(p) for p in named if p.default is p.empty}
    for parameter in named:
        if parameter.annotation == "bool":
            continue  # anything is true or false
        annotation = re.sub(r"(?<=Mapping|Literal)\[.*?\]", "", str(parameter.annotation))
        kinds = _kinds(parameter.annotation)
        wrong = dict(WRONG)
        if "int" in kinds and "float" not in kinds:
            wrong |= {"a fraction": 1.5, "NaN": NAN}
        for what, value in wrong.items():
            is_default = value is None and parameter.default is None
            fits = any(word in annotation for word in _FITS.get(what, ()))
            if not is_default:
                must = bool(kinds) and not fits and not _is_open(kinds, function)
                yield f"{parameter.name} = {what}", {**needed, parameter.name: value}, must
        odd = [value for word, values in _ODD.items() if word in annotation for value in values]
        for value in odd if kinds and not _is_open(kinds, function) else _ANY:
            yield f"{parameter.name} = {value!r}"[:60], {**needed, parameter.name: value}, False


def _is_open(kinds: tuple[str, ...], function: Any) -> bool:
    """Return whether an annotation has another name of a type: then what fits is up to the function."""
    return any(kind not in _TESTS and not inspect.isclass(_globals(function).get(kind, type)) for kind in kinds)


def _tries_all(name: str, method: str, folder: Path) -> Use:
    """Write elsewhere: what is accepted may write files."""
    (place := folder.with_name(f"{folder.name} elsewhere")).mkdir()
    os.chdir(place)
    one = classes()[name]
    function = dict(_methods(one))[method]
    member = inspect.getattr_static(one, method.removesuffix(" ="))
    made = one if isinstance(member, classmethod | staticmethod) else _objects()[name]()

    def call(arguments: dict[str, Any]) -> Any:
        if method.endswith(" ="):
            return setattr(made, method.removesuffix(" ="), *arguments.values())
        names = [p.name for p in _parameters(function) if p.kind is p.POSITIONAL_ONLY]
        left = {key: value for key, value in arguments.items() if key not in names}
        return getattr(made, method)(*(arguments[key] for key in names if key in arguments), **left)

    def use() -> None:
        wrong: list[str] = []
        refused: DKDError | None = None
        for about, arguments, must in _tries(function):
            if not must and f"{name}.{method}" in _TYPES_ONLY:
                continue
            try:
                result = call(arguments)
                if inspect.isgenerator(result):
                    next(result, None)
                if must:
                    wrong.append(f"{about} is accepted")
            except DKDError as error:
                if must:
                    refused = error
            except Exception as error:
                wrong.append(f"{about}: {type(error).__name__}: {error}"[:120])
        assert not wrong, "; ".join(wrong)
        if refused is not None:
            raise refused

    return use


def cases() -> Iterator[Case]:
    tried: set[Any] = set()
    for name, one in classes().items():
        for method, function in _methods(one):
            if function not in tried and _parameters(function):
                tried.add(function)  # what several classes inherit is tried once
                is_refused = any(must for _, _, must in _tries(function))
                yield Case(KIND, f"{name}.{method}", "refused" if is_refused else "right",
                           partial(_tries_all, name, method))  # fmt: skip
