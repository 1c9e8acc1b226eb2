"""The documentation holds together: links lead somewhere, lines are short, words are plain, tables match the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import dkd
from tests.project.test_architecture import ROOMS, project_files
from widgets.core.shortcuts import as_markdown, parts_as_markdown

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in project_files() if path.suffix == ".md")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDTH, TABLE_WIDTH = 100, 120  # characters
# The glossary of CONTRIBUTING.md has what we write instead.
NOT_OUR_WORDS = ("anew", "for ever", "nothing but", "a row a", "as it was", "what has come of", "whose left is left")


def quaint(text: str) -> list[str]:
    """Return the expressions in a text for which the glossary has better ones."""
    return [words for words in NOT_OUR_WORDS if re.search(rf"\b{words}\b", text)]


def cells(notebook: Path, kind: str) -> list[str]:
    loaded = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in loaded["cells"] if cell["cell_type"] == kind]


def prose(path: Path) -> str:
    """What a page says, or the text between the code of a notebook."""
    return "\n\n".join(cells(path, "markdown")) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The names that links to a page's headings have on GitHub and in JupyterLab's preview."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", prose(path), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    """Targets of links and images, in both of Markdown's ways of writing them."""
    text = re.sub(r"```.*?```", "", prose(path), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[^\]]+\]: (\S+)", text, re.MULTILINE)


def python_of(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", prose(path), re.DOTALL)


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    broken = set()
    for link in links(path):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.add(link)
    assert broken == set()


def test_there_are_pages_and_links_to_check() -> None:
    assert len(PAGES) > 10 and len(NOTEBOOKS) > 5
    assert "docs/measurements.md#hard-frames" in links(ROOT / "README.md")
    assert "hard-frames" in anchors(ROOT / "docs" / "measurements.md")


def test_the_index_names_every_page() -> None:
    index = links(ROOT / "docs" / "README.md")
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= set(index)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_lines_are_short(path: Path) -> None:
    long = [
        f"{number}: {len(line)} characters"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > (TABLE_WIDTH if line.startswith("|") else WIDTH)
    ]
    assert long == []


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_words_are_plain(path: Path) -> None:
    text = re.sub(r"## Glossary.*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert quaint(text) == []


@pytest.mark.parametrize("folder", ["dkd", "widgets"])
def test_words_of_the_code_are_plain(folder: str) -> None:
    """Docstrings, comments, messages and names."""
    found = {str(path.relative_to(ROOT)): quaint(path.read_text("utf-8")) for path in (ROOT / folder).rglob("*.py")}
    assert {path: words for path, words in found.items() if words} == {}


def test_the_keyboard_table_is_the_one_of_the_code() -> None:
    """If it is not, paste ``widgets.core.shortcuts.as_markdown()`` at the end of docs/workbench.md."""
    page = (ROOT / "docs" / "workbench.md").read_text(encoding="utf-8")
    assert page.partition("## Keyboard\n")[2].rstrip("\n").endswith("\n\n" + as_markdown())


def test_the_keys_of_parts_are_those_of_the_code() -> None:
    """If they are not, paste ``widgets.core.shortcuts.parts_as_markdown()`` into docs/workbench.md."""
    page = (ROOT / "docs" / "workbench.md").read_text(encoding="utf-8")
    part = page.partition("## Keys in a part\n")[2].partition("\n## ")[0]
    assert f"\n\n{parts_as_markdown()}\n\n" in part


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_what_the_examples_import_is_on_offer(path: Path) -> None:
    """Code in the text parses, and takes from ``dkd`` what ``dkd`` has."""
    for code in python_of(path):
        compile(code, str(path), "exec")
        for names in re.findall(r"^from dkd import (.*)$", code, re.MULTILINE):
            assert {name.strip() for name in names.split(",")} <= set(dkd.__all__)


def test_the_picture_of_the_rooms_shows_which_way_imports_point() -> None:
    """Every room is drawn once, and imports only from rooms on the lines below it."""
    drawn = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\ndkd/\n")[2].partition("```")[0]
    lines = [set(line.split()) & ROOMS.keys() for line in drawn.splitlines()]
    assert sum(len(line) for line in lines) == len(ROOMS)
    wrong = {
        f"{room} is drawn above {other}, but may be imported by it"
        for i, line in enumerate(lines)
        for room in line
        for other in set().union(*lines[i:]) - {room}
        if room in ROOMS[other]
    }
    assert wrong == set()
