"""The browser's modules: how imports are resolved, what a library sends, and how much of a page's state it is."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import ipywidgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances, _remove_buffers

from dkd.errors import ConfigError
from tests.support.fake_trace import FakeTrace
from widgets import Workbench
from widgets.core import assets
from widgets.core.assets import ROOT, folder_modules, module, needed_folders, stylesheet
from widgets.core.library import Library, script
from widgets.core.tables import TABLES

FOLDERS = sorted({path.parent.name for path in ROOT.glob("*/*.js")})
# The forms of imports and exports that loader.js links.
LINKED = re.compile(r"import (\{|\* as \w+ from|\w+ from)|export (default|const|let|class|(async )?function\*?) ")
STATE_LIMIT = 110_000  # bytes of all widget states of one workbench; 437 kB when each view had its own copy of the code


def unpacked(library: Library) -> dict[str, Any]:
    return json.loads(zlib.decompress(library.content))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty ``widgets/`` to write modules into."""
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "_resolved", {})
    caches = (folder_modules, stylesheet)
    for cached in caches:
        cached.cache_clear()
    yield tmp_path
    for cached in caches:
        cached.cache_clear()


def write(folder: Path, **sources: str) -> None:
    """``write(folder, core_dom="…")`` writes ``core/dom.js``."""
    for name, source in sources.items():
        place, _, file = name.partition("_")
        (folder / place).mkdir(exist_ok=True)
        (folder / place / f"{file}.js").write_text(source)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_import_resolves_and_what_is_imported_comes_first(name: str) -> None:
    seen: set[str] = set()
    for one in folder_modules(name):
        for target in one.imports.values():
            assert (ROOT / target).is_file()
            assert target.partition("/")[0] != name or target in seen
        seen.add(one.name)
        written = re.findall(r'^import\b[^;]*?from\s*["\']([^"\']+)', one.source, re.MULTILINE)
        assert set(written) == set(one.imports), one.name  # nothing that the linker would overlook
        if one.name.endswith(".js"):
            statements = re.findall(r"^(?:import|export)\b.*", one.source, re.MULTILINE)
            assert [line for line in statements if not LINKED.match(line)] == [], one.name
    assert seen == {f"{name}/{path.name}" for path in (ROOT / name).glob("*.js*")}


def test_folders_import_in_one_direction() -> None:
    """core needs nothing, and no two folders need each other, also by way of a third."""
    needs = {name: needed_folders(name) for name in FOLDERS}
    assert needs["core"] == []
    done: list[str] = []
    while len(done) < len(needs):
        ready = [name for name in needs if name not in done and set(needs[name]) <= set(done)]
        assert ready, f"a circle among {set(needs) - set(done)}"
        done += ready


def test_a_module_names_what_it_means_by_a_path(folder: Path) -> None:
    write(
        folder,
        core_dom="export const h = 1;\n",
        view_all="""\
// import { no } from "./comment.js"
import {
  h,
} from "../core/dom.js";
import * as part from "./part.js";
""",
        view_part='import { h } from "../core/dom.js";\nexport const twice = 2 * h;\n',
    )
    assert module("view/all.js").imports == {"../core/dom.js": "core/dom.js", "./part.js": "view/part.js"}
    assert [one.name for one in folder_modules("view")] == ["view/part.js", "view/all.js"]
    assert needed_folders("view") == ["core"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('import { x } from "./missing.js";', r"got 'view/missing.js', imported by view/all.js"),
        ('import { x } from "lodash";', "expected an import of a file in a folder of widgets/, got 'lodash'"),
        ('import { x } from "../../dkd/x.js";', "got '../../dkd/x.js'"),
        ('import { x } from "./all.js";', "a circle, got view/all.js → view/all.js"),
    ],
)
def test_an_import_that_cannot_be_resolved_is_an_error(folder: Path, source: str, message: str) -> None:
    write(folder, view_all=source)
    with pytest.raises(ConfigError, match=re.escape(message)):
        module("view/all.js")


def test_a_key_changes_with_the_content_of_all_that_is_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(dom: str, other: str = "export const y = 1;") -> tuple[str, str]:
        monkeypatch.setattr(assets, "_resolved", {})
        write(folder, core_dom=dom, core_other=other, view_all='import { h } from "../core/dom.js";')
        return module("view/all.js").key, module("core/other.js").key

    first = keys("export const h = 1;")
    assert keys("export const h = 1;") == first
    changed = keys("export const h = 2;")
    assert changed[0] != first[0] and changed[1] == first[1]
    assert keys("export const h = 1;", "export const y = 2;") == (first[0], module("core/other.js").key) != first


def test_a_widget_names_a_module_that_is_there() -> None:
    with pytest.raises(ConfigError, match="expected the name of a module in widgets/, got 'workbench/plyer.js'"):
        script("workbench/plyer.js")


def test_a_library_holds_its_folder_and_is_made_once() -> None:
    core, exports, workbench = Library.of("core"), Library.of("exports"), Library.of("workbench")
    assert Library.of("core") is core and core.needs == []
    assert exports.needs == [core.model_id] and workbench.needs == [core.model_id, exports.model_id]
    content = unpacked(workbench)
    assert [one["name"] for one in content["modules"]] == [one.name for one in folder_modules("workbench")]
    assert content["css"] == stylesheet("workbench")
    player = next(one for one in content["modules"] if one["name"] == "workbench/player.js")
    assert player["source"] == (ROOT / "workbench" / "player.js").read_text(encoding="utf-8")
    assert player["imports"]["../core/dom.js"] == "core/dom.js"
    assert core.key != workbench.key
    core.close()
    again = Library.of("core")
    assert again is not core and again.key == core.key and Library.of("core") is again
    exports.close()
    assert Library.of("exports").needs == [again.model_id]


def test_the_table_of_colours_is_viridis() -> None:
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)
    assert TABLES["viridis"] == bgr[:, 0, ::-1].tobytes().hex()


def state_bytes(widgets: list[Any]) -> int:
    """What a page gets of these widgets when it is loaded: JSON and buffers."""
    total = 0
    for widget in widgets:
        state, _, buffers = _remove_buffers(widget.get_state())
        total += len(json.dumps(state).encode()) + sum(memoryview(buffer).nbytes for buffer in buffers)
    return total


def test_the_state_of_a_workbench_is_small_and_a_second_one_adds_little() -> None:
    ipywidgets.Widget.close_all()
    first = Workbench(FakeTrace())
    alone = state_bytes(list(_instances.values()))
    second = Workbench(FakeTrace())
    both = state_bytes(list(_instances.values()))
    assert alone < STATE_LIMIT
    assert both - alone < 25_000  # no code
    first.close()
    second.close()
