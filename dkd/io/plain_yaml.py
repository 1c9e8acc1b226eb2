"""YAML with the plain values of version 1.2, as people expect them.

PyYAML reads YAML 1.1, in which ``1:30`` is 90, ``010`` is 8, ``no`` is false, and ``2026-01-01`` is a date; and of a
key that is there twice, the last one wins.
"""

from __future__ import annotations

import re
from typing import Any

import yaml


class PlainLoader(yaml.SafeLoader):
    """Loader for numbers of base ten, ``true`` and ``false``, ``null``, and text; a mapping has each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping.

        Raises:
            yaml.YAMLError: a key is there twice.
        """
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.YAMLError(f"the key {key.value[:60]!r} occurs twice in line {key.start_mark.line + 1}")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_DIGITS, _EXPONENT = list("-+0123456789"), r"[eE][-+]?[0-9]+"
PlainLoader.yaml_implicit_resolvers = {}  # those of YAML 1.1
for name, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", _DIGITS),
    ("float", rf"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:{_EXPONENT})?|[-+]?[0-9]+{_EXPONENT}", [*_DIGITS, "."]),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", ["-", "+", "."]),
):
    PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(rf"(?:{pattern})\Z"), first)


class PlainDumper(yaml.SafeDumper):
    """Dumper that puts all texts in quotes that YAML 1.1 or 1.2 would take for something else."""


PlainDumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(rf"[-+]?[0-9]+{_EXPONENT}\Z"), _DIGITS
)  # fmt: skip
