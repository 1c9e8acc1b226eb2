"""Settings: frozen dataclasses read from YAML files, ``key=value`` arguments and forms, validated in one place.

An unknown key raises an error that names the nearest known one; a value of the wrong type raises an error that says
where it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from dkd.errors import ConfigError, nearest_name
from dkd.io.plain_yaml import PlainDumper, PlainLoader

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)  # for a settings class: ``__pydantic_config__ = STRICT``


_LONGEST_TEXT = 2**18  # characters of YAML; the longest shipped recipe has two thousand
_DEEPEST = 40  # levels of nesting
_LONGEST_SHOWN = 80  # characters of a value in an error


def check_ranges(settings: Any, **ranges: tuple[float, float]) -> None:
    """Check numbers of a settings object, both ends included; ``None`` is allowed where the field is optional.

        check_ranges(self, steps=(1, 10**9), momentum=(0, 1))

    Raises:
        ConfigError: a number lies outside its range, is not a number, or is no number at all.
    """
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        numbers = value if isinstance(value, tuple) else () if value is None else (value,)
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
                raise ConfigError(f"expected {name} from {low:g} to {high:g}, got {_short(value)}")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        return f"a very large {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def from_mapping(kind: type[T], values: Mapping[str, Any]) -> T:
    """Build a settings object of the dataclass ``kind``, including nested ones.

    Raises:
        ConfigError: a key is unknown (the nearest known one is named) or missing, or a value does not fit.
    """
    if flags := list(_flags_for_numbers(kind, values)):
        raise ConfigError(f"setting {flags[0]!r}: expected a number or a name, got true or false")
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        raise ConfigError("; ".join(dict.fromkeys(_explain(kind, e) for e in error.errors()))) from error


def _flags_for_numbers(kind: Any, values: Any, where: str = "") -> Iterable[str]:
    """Find settings that are ``true`` or ``false`` although they are no flags; pydantic would take them as 1 and 0."""
    if dataclasses.is_dataclass(kind) and isinstance(values, Mapping):
        types = _types(kind)  # type: ignore[arg-type]
        for name, value in values.items():
            if name in types:
                yield from _flags_for_numbers(types[name], value, f"{where}.{name}" if where else str(name))
    elif not {bool, Any} & _parts_of(kind) and any(
        isinstance(value, bool) for value in (values if isinstance(values, list | tuple) else [values])
    ):
        yield where


def _parts_of(kind: Any) -> set[Any]:
    """Return a type and all types within it: ``tuple[float, ...] | None`` has five parts."""
    return {kind}.union(*(_parts_of(part) for part in get_args(kind)))


def _explain(kind: type, error: Any) -> str:
    path = [str(part) for part in error["loc"]]
    where = ".".join(path)
    if error["type"] == "unexpected_keyword_argument":
        known = _keys(kind, path[:-1])
        return f"unknown setting {where!r}{nearest_name(path[-1], known)} Known here: {', '.join(known)}."
    if error["type"] == "value_error":  # from a dataclass's own check
        return str(error["ctx"]["error"])
    return f"setting {where!r}: {error['msg'][0].lower()}{error['msg'][1:]}, got {_short(error['input'])}"


def _keys(kind: type, path: Sequence[str]) -> list[str]:
    """Return the names of the settings below ``path``."""
    for part in path:
        if not dataclasses.is_dataclass(kind):
            return []
        kind = _types(kind).get(part, object)
    return [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _types(kind: type) -> dict[str, type]:
    from typing import get_type_hints

    return get_type_hints(kind)


def to_mapping(config: Any) -> dict[str, Any]:
    """Convert settings to plain dicts, lists, numbers and strings, ready for YAML or JSON."""
    return TypeAdapter(type(config)).dump_python(config, mode="json")


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file.

    Raises:
        ConfigError: the file does not exist, is not YAML, or does not hold a mapping.
    """
    try:
        if path.is_file() and path.stat().st_size > 4 * _LONGEST_TEXT:
            raise ConfigError(f"expected settings in {path}, got {path.stat().st_size / 1e6:.0f} MB; check the path")
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"expected settings in {path}, got: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"expected text in UTF-8 in {path}, got another encoding (byte {error.start}); save it as UTF-8"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"expected YAML in {path}, got: {_one_line(error)}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"expected 'key: value' lines in {path}, got {type(values).__name__}")
    return values


def parse_yaml(text: str) -> Any:
    """Parse YAML of limited length, without anchors: these can make a document refer to itself, or grow without end.

    Plain values are read as in YAML 1.2, see :class:`~dkd.io.plain_yaml.PlainLoader`.

    Raises:
        yaml.YAMLError: it is no such text.
    """
    if len(text) > _LONGEST_TEXT:
        raise yaml.YAMLError(f"a text of {len(text)} characters; at most {_LONGEST_TEXT} are read")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise yaml.YAMLError(f"more than {_DEEPEST} levels of nesting")
            if getattr(event, "anchor", None) is not None:
                raise yaml.YAMLError(f"an anchor or alias ({event.anchor[:40]!r}); write the value out instead")
        return yaml.load(text, Loader=PlainLoader)  # noqa: S506 (it is a SafeLoader)
    except (ValueError, RecursionError, OverflowError) as error:  # a number of thousands of digits, or deep nesting
        raise yaml.YAMLError(f"a value that cannot be read ({error})") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:400]


def to_yaml(config: Any) -> str:
    """Convert settings to YAML, which :func:`read_yaml` and :func:`from_mapping` turn back into the same settings."""
    return yaml.dump(to_mapping(config), Dumper=PlainDumper, sort_keys=False, allow_unicode=True, width=100)


def with_words(values: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Replace some settings by ``key=value`` arguments; ``a.b=1`` sets a nested one. Values are parsed as YAML.

    Raises:
        ConfigError: an argument has no ``=``, or sets a key of something that is not a mapping.
    """
    out: dict[str, Any] = _copied(values)
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"expected key=value, got {word!r}; for example steps=500 or augment.rotation=10")
        *parents, last = key.split(".")
        place = out
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"cannot set {key!r}: {parent!r} holds {inner!r}, not nested settings")
            place = inner
        try:
            place[last] = parse_yaml(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"expected a value in {_short(word)}, got: {_one_line(error)}") from error
    return out


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copied(v) if isinstance(v, Mapping) else v for k, v in values.items()}


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level: ``{"a": {"b": 1}}`` → ``{"a.b": 1}``."""
    out: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[prefix + key] = value
    return out
