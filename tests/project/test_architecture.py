"""The house rules that a machine can check: which way imports point, and what committed files must not contain."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import dkd
import widgets
from tests.project.test_packaging import imported_modules

ROOT = Path(__file__).resolve().parents[2]
# What each room of the library may import. `make test` fails where code imports against this table; CONTRIBUTING.md
# shows it as a picture.
_MODELS = {"errors", "io", "pose", "models"}
_TRACKING = {*_MODELS, "engines", "machine", "video", "measures", "datasets", "tracking"}
_EVALUATION = {*_TRACKING, "analysis", "formats", "evaluation"}
_TRAINING = {*_TRACKING, "analysis", "training"}
_EVERYTHING = {*_EVALUATION, *_TRAINING, "ablations", "live", "serve", "sessions", "studies", "cli"}
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "io": {"errors", "io"},
    "machine": {"errors", "io"},
    "pose": {"errors", "io", "pose"},
    "video": {"errors", "io", "video"},
    "models": _MODELS,
    "engines": {*_MODELS, "engines"},
    "measures": {"errors", "pose", "measures"},
    "datasets": {"errors", "io", "pose", "video", "datasets"},
    "tracking": _TRACKING - {"machine", "measures"},
    "analysis": {*_TRACKING, "analysis"} - {"machine"},
    "formats": {"errors", "io", "pose", "video", "tracking", "formats"},
    "sessions": {*_TRACKING, "sessions"} - {"machine", "measures", "datasets"},
    "studies": {*_TRACKING, "analysis", "formats", "sessions", "studies"} - {"machine"},
    "evaluation": _EVALUATION,
    "training": _TRAINING,
    "live": {*_TRACKING, "formats", "live"} - {"machine", "measures", "datasets"},
    "ablations": {*_EVALUATION, *_TRAINING, "ablations"},
    "serve": {"errors", "io", "serve"},
    "cli": _EVERYTHING,
}
LONGEST = {".py": 400, ".js": 200, ".css": 200}  # lines of a file of the library or the widgets
INTERFACE = {"IPython", "anywidget", "ipywidgets", "plotly", "widgets"}
TEXT = {".cfg", ".css", ".html", ".ipynb", ".js", ".json", ".lock", ".md", ".py", ".sh", ".toml", ".txt", ".yml"}
CLASS = re.compile(r"(?<![\w-])dkd-[\w-]+")
# A folder of one machine: not the middle of a longer path or of a web address.
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_])/(?:work|farm|root|tmp|home|Users)/[A-Za-z0-9_.]")


def project_files() -> list[Path]:
    """All files that are, or could be, committed: what git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for name in listed if (path := ROOT / name).is_file()]


def texts() -> list[Path]:
    return [path for path in project_files() if path.suffix in TEXT or path.name in {"Makefile", "run"}]


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("dkd", INTERFACE | {"tests", "scripts", "benchmarks"}),
        ("widgets", {"tests", "scripts", "benchmarks"}),
    ],
)
def test_imports_point_one_way(folder: str, forbidden: set[str]) -> None:
    """notebooks → widgets → dkd: the library knows nothing of the interface, neither of what is built on them."""
    assert sources(folder)
    wrong = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(folder)
        for module in imported_modules(path)
        if module.split(".")[0] in forbidden
    }
    assert wrong == set()


def imported_by(path: Path, lazily: bool = True) -> set[str]:
    """Full names of our own modules that a file imports; without ``lazily`` only those that it imports when loaded."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if not lazily and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not lazily and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.ImportFrom) and child.module and not child.level:
                found.add(child.module)
                found.update(f"{child.module}.{name.name}" for name in child.names)
            elif isinstance(child, ast.Import):
                found.update(name.name for name in child.names)
            visit(child)

    visit(ast.parse(path.read_text()))
    return found & MODULES.keys()


def room_of(module: str) -> str:
    return module.split(".")[1]


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("dkd", "widgets")
    for path in sources(folder)
}


def test_every_room_imports_only_what_its_table_allows() -> None:
    """Also inside functions: an import that comes late points the same way."""
    assert {room_of(m) for m in MODULES if m.startswith("dkd.")} - {"__main__"} == ROOMS.keys()
    wrong = {
        f"{module} imports {other}"
        for module, path in MODULES.items()
        if module.startswith("dkd.") and room_of(module) in ROOMS
        for other in imported_by(path)
        if other.startswith("dkd.") and room_of(other) not in ROOMS[room_of(module)]
    }
    assert wrong == set()


def test_the_table_has_no_circle() -> None:
    order: list[str] = []
    while len(order) < len(ROOMS):
        free = [room for room in ROOMS if room not in order and ROOMS[room] - {room} <= set(order)]
        assert free, f"these import each other: {sorted(ROOMS.keys() - set(order))}"
        order += free


def test_no_module_imports_itself_through_others() -> None:
    """Inside rooms, too: who reads a file can read what it needs first."""
    needs = {module: imported_by(path, lazily=False) - {module} for module, path in MODULES.items()}
    read: set[str] = set()
    while free := {module for module in needs.keys() - read if needs[module] <= read}:
        read |= free
    assert needs.keys() - read == set(), "these modules import each other"


def test_every_room_says_in_one_line_what_it_is_for() -> None:
    packages = [path for path in MODULES.values() if path.name == "__init__.py"]
    assert len(packages) > 20
    for path in packages:
        said = ast.get_docstring(ast.parse(path.read_text()))
        assert said and len(said.splitlines()[0]) > 20, path


def test_no_file_is_long() -> None:
    files = [path for folder in ("dkd", "widgets") for path in (ROOT / folder).rglob("*")]
    long = {
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in files
        if path.suffix in LONGEST and (lines := len(path.read_text().splitlines())) > LONGEST[path.suffix]
    }
    assert long == set()


def test_no_two_rooms_style_each_others_elements() -> None:
    """The style sheets of all views that a notebook shows hold for the whole page, also when a view is closed again.

    So a class that two rooms give to elements of their own may be styled only below one that is a single room's; a room
    that is built on another shares its classes.
    """
    rooms = sorted({room_of(module) for module in MODULES if module.startswith("widgets.")} - {"core"})
    code = {room: [p for p in (ROOT / "widgets" / room).rglob("*") if p.suffix in {".js", ".py"}] for room in rooms}
    gives = {room: set(CLASS.findall("\n".join(p.read_text() for p in code[room]))) for room in rooms}
    needs = {
        room: set(re.findall(r"\.\./(\w+)/|widgets\.(\w+)", "\n".join(map(Path.read_text, code[room]))))
        for room in rooms
    }
    built_on = {room: {name for pair in needs[room] for name in pair} for room in rooms}
    wrong = set()
    for room in rooms:
        for path in (ROOT / "widgets" / room).glob("*.css"):
            rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
            selectors = [one for rule in re.findall(r"([^{}@]+)\{", rules) for one in re.split(r",(?![^(]*\))", rule)]
            assert selectors
            for selector in selectors:
                classes = {name for name in CLASS.findall(selector)}
                wrong |= {
                    f"{path.relative_to(ROOT)}: {selector.strip()} also meets elements of {other}"
                    for other in rooms
                    if other != room and room not in built_on[other] and other not in built_on[room]
                    if classes and classes <= gives[other] and classes & gives[room]
                }
    assert wrong == set()


def test_importing_the_library_is_light() -> None:
    """``dkd lab`` and ``dkd --help`` must not wait for torch, nor for anything else that takes long."""
    heavy = ["torch", "pandas", "cv2", "scipy", "av", "decord", "simplejpeg", "pyarrow", "lightning_fabric", "h5py"]
    heavy += ["jupyterlab"]
    for code in ("import dkd", "import dkd; dir(dkd)", "import dkd.cli.main"):
        code += f"; import sys; print(*({set(heavy)!r} & set(sys.modules)))"
        loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert loaded.stdout.split() == [], code


def test_a_view_is_imported_without_the_panels() -> None:
    """Only the panels need plotly and lightning; a notebook with a workbench does not wait for them."""
    heavy = {"plotly", "nbformat", "lightning_fabric"}
    code = f"from widgets import Workbench; import sys; print(*({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


@pytest.mark.parametrize("package", [dkd, widgets])
def test_every_name_on_offer_is_there_and_type_checkers_know_it(package: ModuleType) -> None:
    tree = ast.parse((ROOT / package.__name__ / "__init__.py").read_text())
    typed = {
        (node.module, name.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert typed == {(home, name) for name, home in package._HOME.items()}
    assert set(package.__all__) == package._HOME.keys() and list(package.__all__) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is getattr(import_module(package._HOME[name]), name)
        assert name in dir(package)
    with pytest.raises(AttributeError, match=package.__all__[0]):
        package.of_nobody  # noqa: B018


def test_the_library_does_not_load_the_interface() -> None:
    """Not even through a package that it imports."""
    code = f"import dkd, sys; print(*({INTERFACE!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


def test_nothing_is_unpickled() -> None:
    """A pickle runs what its author wrote, so no module of that kind is used, and no loader is told to accept one."""
    wrong = set()
    for path in [*sources("dkd"), *sources("widgets"), *sources("scripts")]:
        if imported_modules(path) & {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}:
            wrong.add(f"{path.relative_to(ROOT)} imports a pickling module")
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            loads = ast.unparse(call.func) == "torch.load" and keywords.get("weights_only") != "True"
            if loads or keywords.get("allow_pickle", "False") != "False":
                wrong.add(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert wrong == set()


def test_no_file_names_a_folder_of_one_machine() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if MACHINE_PATH.search(line)
    }
    assert wrong == set()


def test_the_product_does_not_need_the_developers_data() -> None:
    wrong = {
        str(path.relative_to(ROOT))
        for path in texts()
        if path.relative_to(ROOT).parts[0] not in {"tests", "scripts"} and "../shared" in path.read_text()
    }
    assert wrong == set()


def test_notebooks_are_stored_without_outputs() -> None:
    """Outputs are large, name the machine they were made on, and hide that a notebook no longer runs."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells), path.name
