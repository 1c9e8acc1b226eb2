"""The house rules that a machine can check: which way imports point, and what committed files must not contain."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.test_packaging import imported_modules

ROOT = Path(__file__).resolve().parents[2]
INTERFACE = {"IPython", "anywidget", "ipywidgets", "plotly", "widgets"}
TEXT = {".cfg", ".css", ".html", ".ipynb", ".js", ".json", ".lock", ".md", ".py", ".sh", ".toml", ".txt", ".yml"}
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
