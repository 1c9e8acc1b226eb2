"""Typed errors. Every message says what was expected, what was received, and what to do about it.

All derive from :class:`DKDError`, so ``except DKDError`` catches everything the library raises on purpose. Each also
derives from the built-in error that a Python user would expect, so that code that does not know this library still
works.
"""

import ast
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, partial, wraps
from numbers import Real
from pathlib import Path
from reprlib import repr as short
from typing import Any, Literal, TypeVar, get_origin

T = TypeVar("T", bound=Callable[..., Any])


class DKDError(Exception):
    """Base class of all errors that the library raises on purpose."""


class ConfigError(DKDError, ValueError):
    """A setting is unknown, has the wrong type, or contradicts another one."""


class CheckpointError(DKDError, ValueError):
    """A checkpoint is missing, damaged, or does not fit the model it is loaded into."""


class BoxError(DKDError, ValueError):
    """A person box is degenerate, not finite, or lies outside the frame."""


class ShapeError(DKDError, ValueError):
    """An array has the wrong shape or type."""


class ArgumentError(ConfigError, ShapeError, TypeError):
    """An argument of a function has the wrong type."""


class StorageError(DKDError, OSError):
    """A file cannot be written: the disk is full, or there is no permission."""


class RunBusyError(DKDError, RuntimeError):
    """Another process is already training in this run's folder."""


class TrainingError(DKDError, ArithmeticError):
    """Training cannot continue because the loss is not finite. Everything saved before is kept."""


class SampleError(DKDError, RuntimeError):
    """A sample clip could not be downloaded or does not have the expected content."""


class DatasetError(DKDError, ValueError):
    """A data set is missing, incomplete, or not in the expected layout."""


class VideoError(DKDError, ValueError):
    """A video cannot be used; the subclasses say why."""


class VideoNotFoundError(VideoError, FileNotFoundError):
    """There is no file at this path."""


class VideoEmptyError(VideoError):
    """The file is empty, or its video track has no frames."""


class VideoFormatError(VideoError):
    """The file is not a video, or the installed decoders cannot read it."""


class VideoNoTrackError(VideoFormatError):
    """The file is a media file without a video track (audio only)."""


class VideoCorruptError(VideoError):
    """The file is a damaged video: a frame that it announces cannot be decoded."""


class VideoTruncatedError(VideoCorruptError):
    """The file ends before the frames that its header announces; ``n_readable`` frames can be read."""

    def __init__(self, message: str, n_readable: int = 0):
        super().__init__(message)
        self.n_readable = n_readable


class SessionError(DKDError, ValueError):
    """A session cannot be used: it is damaged, or asks for something that does not fit its video or model."""


class VideoMovedError(VideoNotFoundError):
    """The video of a session is not where the session says; ``looked`` has the paths at which it was looked for."""

    def __init__(self, message: str, looked: Sequence[Path] = ()):
        super().__init__(message)
        self.looked = tuple(looked)


class FrameIndexError(VideoError, IndexError):
    """A frame index lies outside the clip."""


class StoppedError(DKDError, RuntimeError):
    """A computation was cancelled before it had a result."""


class MissingExtraError(DKDError, ImportError):
    """A feature needs an optional package that is not installed; the message names the extra to install."""


class ClosedError(DKDError, RuntimeError):
    """The object was closed and can no longer be used."""


def nearest_name(name: str, known: Iterable[object]) -> str:
    """Return the end of an error message about an unknown name.

    That is ``"; did you mean 'x'?"`` with the nearest of ``known``, or ``"."`` if none is near.
    """
    near = get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else "."


# ---- types of arguments

_TRACE, _CLIP = ("clip", "joints", "scores"), ("frame", "times", "width", "height")
# What is recognised by its attributes: any object with the same interface is welcome.
_OURS = ("dkd.", "widgets.")
_SAME = (int, bool, str, type(None), list, tuple, dict, range)  # whether a value fits follows from its type alone
_LIKE = {
    **dict.fromkeys(("TraceLike", "Trace", "AnyTrace"), _TRACE), **dict.fromkeys(("ClipLike", "Clip"), _CLIP),
    "DataFrame": ("columns", "loc"),
}  # fmt: skip


def _is_list(value: object) -> bool:
    has_items = hasattr(value, "__iter__") or hasattr(value, "__getitem__")
    return has_items and not isinstance(value, str | bytes)


def _has_all(names: Iterable[str], value: object) -> bool:
    return all(hasattr(value, name) for name in names)


_TESTS: dict[str, Callable[[Any], bool]] = {
    "None": lambda value: value is None,
    "str": lambda value: isinstance(value, str),
    "PathLike": lambda value: isinstance(value, os.PathLike),
    "Path": lambda value: isinstance(value, os.PathLike),
    "Callable": callable,
    "int": lambda value: hasattr(value, "__index__"),
    "float": lambda value: isinstance(value, Real) or hasattr(value, "__index__"),
    **dict.fromkeys(("Sequence", "Iterable", "Collection", "list", "tuple", "ndarray"), _is_list),
    **dict.fromkeys(("Mapping", "dict"), lambda value: isinstance(value, Mapping)),
    **{name: partial(_has_all, has) for name, has in _LIKE.items()},
}  # fmt: skip
_WORDS = {
    "None": "None", "str": "text", "int": "a whole number", "float": "a number", "Callable": "a function",
    "ndarray": "an array", "tuple": "a tuple", "VideoPoseModel": "a model", "DataFrame": "a table of pandas",
    **dict.fromkeys(("Path", "PathLike"), "a path"),
    **dict.fromkeys(("Sequence", "Iterable", "Collection", "list"), "a list"),
    **dict.fromkeys(("Mapping", "dict"), "a dictionary"), **dict.fromkeys(("ClipLike", "Clip"), "a clip"),
    **dict.fromkeys(("TraceLike", "AnyTrace"), "a trace"),
}  # fmt: skip


def checked(function: T) -> T:
    """Check the types of the arguments of a public function, or of all public methods of a class (a decorator).

    A type is what the annotation says: numbers, text, paths, lists, dictionaries, functions, and our own classes. What
    an annotation leaves open, and the range of a number, is checked by the function itself. Of a class, these are what
    makes an object, and the methods that it has of our own classes; properties check what they are set to themselves.

    Raises:
        ArgumentError: an argument has another type; raised when the function is called, before it does anything.
    """
    if isinstance(function, type):
        for owner in function.__mro__:
            if owner.__module__.startswith(_OURS) and not getattr(owner, "_is_protocol", False):
                _check_methods(owner)
        return function
    if hasattr(function, "_kinds_of_arguments"):
        return function
    signature = inspect.signature(function)
    spread = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    known = {
        name: (kinds, set[type]())
        for name, parameter in signature.parameters.items()
        if parameter.kind not in spread and (kinds := _kinds(parameter.annotation))
    }
    by_place = [
        (name, *known.get(name, ((), None)))
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]

    def check(name: str, value: Any, kinds: tuple[str, ...], seen: set[type], arguments: tuple[Any, ...]) -> None:
        if not any(_is(kind, value, function) for kind in kinds):
            where = _called(function, arguments)
            expected = " or ".join(dict.fromkeys(_word(kind, function) for kind in kinds))
            got = f"{short(value)}, an object of type {type(value).__name__}" if value is not None else "None"
            raise ArgumentError(f"expected {name} of {where}() to be {expected}, got {got}")
        if type(value) in _SAME:
            seen.add(type(value))

    # Methods are called for each frame: a type that fits is not asked about again. Python says what is missing.
    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        for (name, kinds, seen), value in zip(by_place, arguments, strict=False):
            if seen is not None and type(value) not in seen:
                check(name, value, kinds, seen, arguments)
        for name in named:
            if name in known:
                kinds, seen = known[name]
                if type(named[name]) not in seen:
                    check(name, named[name], kinds, seen, arguments)
        return function(*arguments, **named)

    call._kinds_of_arguments = known  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Return the name of a function; of a method, with the class of its object, not with that which defines it."""
    name = function.__qualname__
    if arguments and "." in name and next(iter(inspect.signature(function).parameters), "") in ("self", "cls"):
        owner = arguments[0] if isinstance(arguments[0], type) else type(arguments[0])
        name = f"{owner.__name__}.{function.__name__}"
    return name.removesuffix(".__init__")


def _check_methods(owner: type) -> None:
    """Check the public methods that a class defines itself."""
    for name, member in list(vars(owner).items()):
        if name.startswith("_") and name not in ("__init__", "__call__", "__getitem__"):
            continue
        if inspect.isfunction(member):
            setattr(owner, name, checked(member))
        elif isinstance(member, staticmethod | classmethod):
            setattr(owner, name, type(member)(checked(member.__func__)))


@cache
def _kinds(annotation: Any) -> tuple[str, ...]:
    """Return the names of the types in an annotation; none if it leaves the type open."""
    if not isinstance(annotation, str):
        return ()
    found: list[str] = []

    def visit(node: ast.expr) -> None:
        if isinstance(node, ast.BinOp):
            visit(node.left)
            visit(node.right)
        elif isinstance(node, ast.Subscript):
            visit(node.value)
        elif isinstance(node, ast.Constant):
            found.append(str(node.value))
        else:
            found.append(node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "Any"))

    visit(ast.parse(annotation, mode="eval").body)
    return () if {"Any", "object", "bool", "Literal", "Tensor"} & set(found) else tuple(found)


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    return inspect.unwrap(function).__globals__  # also of what another decorator has wrapped


def _word(kind: str, function: Callable[..., Any]) -> str:
    origin = get_origin(_globals(function).get(kind))
    if origin is Callable or origin is Literal:
        return _WORDS["Callable" if origin is Callable else "str"]
    return _WORDS.get(kind, f"a {kind}")


def _is(kind: str, value: Any, function: Callable[..., Any]) -> bool:
    if kind in _TESTS:
        return _TESTS[kind](value)
    meant = _globals(function).get(kind, type)
    if get_origin(meant) is Literal:  # one of a few words: the function says which are known
        return isinstance(value, str)
    if not isinstance(meant, type):  # another name of a type, such as Box: the function checks what is in it
        return get_origin(meant) is not Callable or callable(value)
    if getattr(meant, "_is_protocol", False):  # whatever has its methods, such as an engine of one's own
        methods = [name for name, one in vars(meant).items() if inspect.isfunction(one)]
        return _has_all((name for name in methods if name not in ("__init__", "__subclasshook__")), value)
    if not meant.__module__.startswith(_OURS) and meant is not type:
        return isinstance(value, meant)  # of another library, perhaps an abstract one
    return any(one.__name__ == kind for one in type(value).__mro__)
