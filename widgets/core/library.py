"""Libraries of browser modules, sent to the page once per kernel and folder, not with every widget.

A :class:`Library` holds the modules of one folder; a :class:`ModuleWidget` names its module and the library with it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import zlib
from functools import cache
from reprlib import repr as short
from typing import Any

import anywidget
import ipywidgets
import traitlets

from dkd.errors import ArgumentError, checked
from widgets.core import cells
from widgets.core.assets import folder_modules, module, needed_folders, stylesheet

_lock = threading.RLock()
_libraries: dict[str, Library] = {}


def without_comments(source: str) -> str:
    """The stub and the loader as they are sent, with each widget and each library: both are short and plain."""
    bare = re.sub(r"^ *//.*|/\*\*(?:[^*]|\*(?!/))*\*/", "", source, flags=re.MULTILINE)
    return re.sub(r"\n\s*\n+", "\n", bare)


class Library(ipywidgets.Widget):
    """Modules and style sheets of one folder of ``widgets/``, for the page. Get it with :meth:`of`.

    Attributes:
        key: hash of the content; a page opens each library once, from the first kernel that sends it.
        needs: model ids of the libraries from which its modules import.
        loader: (hash, source) of the module that links the others.
        content: the modules and the style sheet, as JSON compressed with zlib.
    """

    key = traitlets.Unicode().tag(sync=True)
    needs = traitlets.List(traitlets.Unicode()).tag(sync=True)
    loader = traitlets.List(traitlets.Unicode()).tag(sync=True)
    content = traitlets.Bytes().tag(sync=True)

    @classmethod
    def of(cls, folder: str) -> Library:
        """Return the library of ``folder``, created if there is none in this kernel or if it was closed."""
        with _lock:
            library = _libraries.get(folder)
            if library is None or library.comm is None:
                needs = [cls.of(name) for name in needed_folders(folder)]
                key, content = packed(folder)
                loader = module("core/loader.js")
                library = _libraries[folder] = cls(
                    key=key,
                    needs=[other.model_id for other in needs],
                    loader=[loader.key, without_comments(loader.source)],
                    content=content,
                )
            return library


class ModuleWidget(anywidget.AnyWidget):
    """A widget whose JavaScript is a module of its folder: subclasses set ``_module = script("folder/file.js")``."""

    _esm = without_comments(module("core/stub.js").source)
    _module = traitlets.Unicode().tag(sync=True)
    _library = traitlets.Unicode().tag(sync=True)

    @traitlets.default("_library")
    def _open_library(self) -> str:
        return Library.of(self._module.partition("/")[0]).model_id

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        checked(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except traitlets.TraitError:
            trait = self.traits().get(name)
            if trait is None:
                raise
            raise ArgumentError(
                f"expected {name} of {type(self).__name__} to be {trait.info()}, got {short(value)}"
            ) from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the widget for a page: called when a cell displays it."""
        cells.wake(self)
        cells.displays.add(self)
        return super()._repr_mimebundle_(**kwargs)


class HiddenWidget(ModuleWidget):
    """A module widget that is never displayed, so it has no layout, which would be a model of its own."""

    layout = traitlets.Instance(ipywidgets.Layout, allow_none=True).tag(sync=True, **ipywidgets.widget_serialization)


def script(name: str) -> Any:
    """Return the trait ``_module`` of a :class:`ModuleWidget` for a module such as ``"workbench/player.js"``.

    Raises:
        ConfigError: there is no such module, or one of its imports cannot be resolved.
    """
    return traitlets.Unicode(module(name).name, read_only=True).tag(sync=True)


@cache
def packed(folder: str) -> tuple[str, bytes]:
    """Return hash and content of a library."""
    modules = [{"name": m.name, "source": m.source, "imports": m.imports} for m in folder_modules(folder)]
    content = json.dumps({"modules": modules, "css": stylesheet(folder)}, ensure_ascii=False).encode()
    # The modules' keys stand for all that they import, too: what is linked with another core is another library.
    keys = "".join(one.key for one in folder_modules(folder))
    return hashlib.sha256(content + keys.encode()).hexdigest()[:16], zlib.compress(content, 9)
