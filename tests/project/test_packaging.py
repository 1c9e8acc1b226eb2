"""One truth about versions: pyproject's ranges, the lock's pins, conda's file and the code are held to one another."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, TOOL = PYPROJECT["project"], PYPROJECT["tool"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
EXTRAS = PROJECT["optional-dependencies"]
OWN = {"dkd", "widgets", "tests", "scripts", "benchmarks"}
DIRECT = [Requirement(line) for line in [*PROJECT["dependencies"], *(r for extra in EXTRAS.values() for r in extra)]]


def lock() -> dict[str, str]:
    """Name to version of every line of the lock that is not a comment."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", line) for line in lines if not line.startswith("#")]
    assert all(pins), "every line is name==version, without a local version, a host or an option"
    return {pin[1]: pin[2] for pin in pins if pin}


def installed_closure() -> set[str]:
    """Names of what the project with its test extra needs here, as the installed packages' own metadata say."""
    todo = [("dkd-workbench", "test")]
    seen: set[tuple[str, str]] = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in distribution(name).requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(requirement.name), chosen) for chosen in requirement.extras or {""}]
    return {name for name, _ in seen} - {"dkd-workbench"}


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_the_pin_of_a_direct_dependency_lies_in_its_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(lock()[canonicalize_name(requirement.name)])


def test_the_lock_pins_exactly_the_installed_packages() -> None:
    pins = lock()
    needed = {name: distribution(name).version.split("+")[0] for name in installed_closure()}
    # A CUDA build of torch brings its own packages, pinned by torch itself.
    needed = {name: version for name, version in needed.items() if not name.startswith(("nvidia-", "triton", "cuda-"))}
    assert {name: pins.get(name) for name in needed} == needed


def test_conda_installs_by_the_same_pins() -> None:
    python = next(entry for entry in CONDA["dependencies"] if isinstance(entry, str) and entry.startswith("python="))
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python=") + ".0")
    (by_pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert by_pip == ["--constraint requirements.lock", "--editable .[test]"]
    # Anything else that conda brought would be a version that no pin holds.
    assert [entry for entry in CONDA["dependencies"] if isinstance(entry, str)] == [python, "pip"]


def test_the_host_check_admits_the_pythons_of_pyproject() -> None:
    from scripts.check_host import OLDEST, TOO_NEW

    assert PROJECT["requires-python"] == ">={}.{},<{}.{}".format(*OLDEST, *TOO_NEW)


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("dkd", ["nwb", "openvino", "cluster"]),
        ("widgets", []),
        ("tests", ["test"]),
        ("scripts", []),
        ("benchmarks", ["test"]),
    ],
)
def test_what_is_imported_is_declared(folder: str, extras: list[str]) -> None:
    """A package that only comes along with another one may be gone after that one's next release."""
    declared = [*PROJECT["dependencies"], *EXTRAS["render"], *(line for extra in extras for line in EXTRAS[extra])]
    names = {canonicalize_name(Requirement(line).name) for line in declared}
    distributions = packages_distributions()
    undeclared = set()
    for path in (ROOT / folder).rglob("*.py"):
        for module in imported_modules(path):
            top = module.split(".")[0]
            owners = {canonicalize_name(owner) for owner in distributions.get(top, [top])}
            if top not in sys.stdlib_module_names | OWN and not owners & names:
                undeclared.add(f"{path.relative_to(ROOT)}: {module}")
    assert undeclared == set()


def imported_modules(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.add(node.module)
    return modules


@pytest.mark.parametrize("package", ["dkd", "widgets"])
def test_files_next_to_the_code_are_packaged(package: str) -> None:
    """Scripts, styles and settings are found beside the code; a wheel without them would work only in a checkout."""
    folder = ROOT / package
    beside = {path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    packaged = {path for pattern in TOOL["setuptools"]["package-data"][package] for path in folder.glob(pattern)}
    assert packaged == beside != set()
