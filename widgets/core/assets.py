"""The browser's half of the widgets: ES modules and style sheets next to the Python code.

The modules import each other by relative paths, as any ES modules do. There is no bundler and no build step: here their
imports are resolved, and :mod:`widgets.core.library` sends each folder's modules to the browser, where ``loader.js``
links them.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from dkd.errors import ConfigError

ROOT = Path(__file__).parents[1]
# A static import at the start of a line; loader.js finds them by the same rule.
IMPORT = re.compile(r'^import (?:\* as \w+|\w+|\{[^}]*\}) from "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """One ES module, or a JSON file that modules import.

    Attributes:
        name: folder and file, ``"core/dom.js"``.
        source: its text, unchanged.
        imports: module name by import specifier.
        key: hash of the source and of everything it imports, so that equal keys mean equal behaviour.
    """

    name: str
    source: str
    imports: dict[str, str]
    key: str

    @property
    def folder(self) -> str:
        """Folder of the module."""
        return self.name.partition("/")[0]


def module(name: str) -> Module:
    """Load the module ``name`` and resolve its imports.

    Raises:
        ConfigError: it, or a module that it imports, does not exist, or imports go in a circle.
    """
    return _resolve(name, ())


@cache
def folder_modules(folder: str) -> tuple[Module, ...]:
    """Load all modules of a folder, each after those that it imports."""
    ordered: dict[str, Module] = {}

    def visit(one: Module) -> None:
        if one.folder != folder or one.name in ordered:
            return
        for name in one.imports.values():
            visit(module(name))
        ordered[one.name] = one

    for path in sorted((ROOT / folder).glob("*.js*")):
        visit(module(f"{folder}/{path.name}"))
    return tuple(ordered.values())


def needed_folders(folder: str) -> list[str]:
    """Return the other folders from which modules of ``folder`` import, sorted."""
    names = {name.partition("/")[0] for one in folder_modules(folder) for name in one.imports.values()}
    return sorted(names - {folder})


@cache
def stylesheet(folder: str) -> str:
    """Return the concatenated style sheets of a folder."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).glob("*.css")))


_resolved: dict[str, Module] = {}


def _resolve(name: str, importers: tuple[str, ...]) -> Module:
    if name in _resolved:
        return _resolved[name]
    if name in importers:
        raise ConfigError(f"expected imports without a circle, got {' → '.join([*importers, name])}")
    path = ROOT / name
    if not path.is_file():
        by = f", imported by {importers[-1]}" if importers else ""
        raise ConfigError(f"expected the name of a module in widgets/, got {name!r}{by}")
    source = path.read_text(encoding="utf-8")
    specifiers = IMPORT.findall(source) if path.suffix == ".js" else []
    imports = {specifier: _target(name, specifier) for specifier in specifiers}
    digest = hashlib.sha256(source.encode())
    for target in imports.values():
        digest.update(_resolve(target, (*importers, name)).key.encode())
    _resolved[name] = Module(name, source, imports, digest.hexdigest()[:16])
    return _resolved[name]


def _target(name: str, specifier: str) -> str:
    """Resolve ``specifier`` in the module ``name``: ``../core/dom.js`` → ``core/dom.js``."""
    parts = list(PurePosixPath(name).parent.parts)
    for part in PurePosixPath(specifier).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    if not specifier.startswith(("./", "../")) or len(parts) != 2:
        raise ConfigError(f"expected an import of a file in a folder of widgets/, got {specifier!r} in {name}")
    return "/".join(parts)
