"""Apply stored calls to a trace again: ``replay(trace, ["correct_joint(12, 'left_wrist', 103.5, 88.0)"])``.

The calls of a trace (:attr:`dkd.Trace.calls`) are Python, but they are never run as Python: only the methods in
:data:`METHODS` are called, and only with numbers, texts, lists, ranges and the names of other traces. A file of
unknown origin can therefore be opened safely.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dkd.errors import ConfigError, DKDError, FrameIndexError, StoppedError, checked, nearest_name
from dkd.tracking.counterfactuals import Counterfactuals

Cancel = Callable[[], bool]
Others = Mapping[str, Counterfactuals] | None  # None: their names are not checked
AnyTrace = TypeVar("AnyTrace", bound=Counterfactuals)

# The methods of a trace that a stored call may name.
METHODS = (
    "correct_joint", "hide_joint", "swap_sides", "set_box", "interpolate",
    "freeze_kernel", "average_kernel", "swap_kernels", "put_kernel", "edit_kernel", "swap_readouts",
    "occlude", "blur", "add_noise", "darken", "drop_frames", "repeat_frame", "shift_box",
    "change_state", "restart",
)  # fmt: skip


@checked
def replay(
    trace: AnyTrace,
    calls: Iterable[str],
    others: Mapping[str, Counterfactuals] | None = None,
    *,
    cancel: Cancel | None = None,
) -> AnyTrace:
    """Apply calls to a trace, one after the other.

    The result is bit-identical to that of the calls themselves, but only the last trace is run to its end; those before
    it (:attr:`~dkd.Trace.base`) are run as far as the next call needs, and continue with :meth:`dkd.Trace.run`.

    Args:
        trace: the trace on which the first call was made.
        calls: as in :attr:`dkd.Trace.calls`.
        others: other traces by name, for ``put_kernel``.
        cancel: called before each frame; if it returns true, the run stops there.

    Returns:
        The last trace; ``trace`` itself without calls. Its ``calls`` end with these calls.

    Raises:
        ConfigError: a call cannot be read, is not one of :data:`METHODS`, or has impossible arguments; all calls are
            read before the first one is applied.
        StoppedError: it was cancelled before the last call could be applied.
        DKDError: the errors of the methods.
    """
    known = dict(others or {})
    steps = [(call, *read_call(call, known)) for call in calls]
    for i, (call, name, arguments, named) in enumerate(steps, 1):
        stop = cancel if i == len(steps) else _at_once
        try:
            trace = _apply(trace, call, name, arguments, named, stop)
        except FrameIndexError:
            if trace.complete:
                raise
            trace.run(progress=False, cancel=cancel)
            if not trace.complete:
                raise StoppedError(f"stopped after {i - 1} of {len(steps)} calls, before {call}") from None
            trace = _apply(trace, call, name, arguments, named, stop)
    return trace


def check_call(call: str) -> None:
    """Check that a call can be read: a known method, plain arguments, and as many as it takes.

    Whether its frames, joints and other traces exist is only known when it is applied.

    Raises:
        ConfigError: it cannot be read.
    """
    name, arguments, named = read_call(call)
    _check_arguments(getattr(Counterfactuals, name), call, [None, *arguments], named)


def _at_once() -> bool:
    return True


def _apply(
    trace: AnyTrace, call: str, name: str, arguments: list[Any], named: dict[str, Any], cancel: Cancel | None
) -> AnyTrace:
    method = getattr(trace, name)
    _check_arguments(method, call, arguments, named)
    try:
        return method(*arguments, **named, cancel=cancel)
    except DKDError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{call} has arguments that {name} does not take ({error})") from error


def _check_arguments(method: Callable[..., Any], call: str, arguments: list[Any], named: dict[str, Any]) -> None:
    try:
        inspect.signature(method).bind(*arguments, **named)
    except TypeError as error:
        raise ConfigError(f"{call} has arguments that {method.__name__} does not take ({error})") from error


def read_call(call: str, others: Others = None) -> tuple[str, list[Any], dict[str, Any]]:
    """Read a call: the method's name, its arguments, and its named arguments.

    Raises:
        ConfigError: it is not a call of one of :data:`METHODS` with plain arguments, or names a trace that is not in
            ``others``, if given.
    """
    try:
        node: ast.AST = ast.parse(call.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, AttributeError, TypeError) as error:
        raise ConfigError(f"expected a call such as 'restart(5)', got {call!r:.200} ({error})") from error
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ConfigError(f"expected one call of a trace's method, such as 'restart(5)', got {call!r:.200}")
    name = node.func.id
    if name not in METHODS:
        raise ConfigError(f"there is no change {name!r} of a trace{nearest_name(name, METHODS)}")
    arguments = [_value(part, call, others) for part in node.args]
    named = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in ("cancel", "name"):
            raise ConfigError(f"expected the arguments of {name}, got {ast.unparse(keyword)} in {call!r:.200}")
        named[keyword.arg] = _value(keyword.value, call, others)
    if name == "put_kernel":
        _name_other(arguments, named, others)
    return name, arguments, named


def _name_other(arguments: list[Any], named: dict[str, Any], others: Others) -> None:
    """Pass the other trace of ``put_kernel``, and its name, so that the new call is the same as the stored one."""
    where: Any
    where, key = (named, "other") if "other" in named else (arguments, 1)
    if where is arguments and len(arguments) < 2:
        return  # the method says what is missing
    other = where[key]
    if isinstance(other, str):
        other = _Other(other, _other(other, others))
    if isinstance(other, _Other):
        where[key], named["name"] = other.trace, other.name


class _Other:
    """Another trace, with the name by which a call refers to it."""

    def __init__(self, name: str, trace: Counterfactuals | None):
        self.name, self.trace = name, trace


def _other(name: str, others: Others) -> Counterfactuals | None:
    if others is None:
        return None
    if name not in others:
        known = f" There are: {', '.join(others)}." if others else ""
        raise ConfigError(f"there is no other trace {name!r}{nearest_name(name, others)}{known}")
    return others[name]


def _value(node: ast.AST, call: str, others: Others) -> Any:
    """Return the value of a plain expression."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Tuple(elts=parts):
            return tuple(_value(part, call, others) for part in parts)
        case ast.List(elts=parts):
            return [_value(part, call, others) for part in parts]
        case ast.Call(func=ast.Name(id="range"), args=[_, *_] as parts, keywords=[]) if len(parts) <= 3:
            ends = [_value(part, call, others) for part in parts]
            if all(type(end) is int for end in ends) and (len(ends) < 3 or ends[2]):
                return range(*ends)
        case ast.Name(id=name):
            return _Other(name, _other(name, others))
    raise ConfigError(
        f"expected numbers, texts, lists and ranges as arguments, got {ast.unparse(node)!r:.80} in {call!r:.200}"
    )
