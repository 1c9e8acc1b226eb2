"""A notebook that is exported without a kernel: the still pictures and captions are left, and nothing else."""

from __future__ import annotations

import os
import re

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter

from tests.conftest import ROOT

SETUP = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from dkd import Clip, Trace, default_sample, load_model
from tests.support.fake_trace import FakeTrace
from widgets import CoherenceDebugger, Laboratory, Lesson, Lineage, Number, Player, Question, Workbench"""
CELLS = [
    SETUP,
    "sample = default_sample()\ntrace = Trace(load_model('dkd-mobilenetv2'), Clip(sample.path), sample.box, stop=3)",
    "Workbench(FakeTrace())",
    "Player(FakeTrace())",
    "CoherenceDebugger(FakeTrace())",
    "Lineage(trace)",
    "Laboratory(trace)",
    "lesson = Lesson('A lesson', 'What for.', 5)\nlesson",
    "lesson.ask(Question('How many frames?', Number(60)))",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A notebook that has run, with the state of its widgets."""
    folder = tmp_path_factory.mktemp("export")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    book = nbformat.v4.new_notebook(cells=cells)
    environment = dict(os.environ, IPYTHONDIR=str(folder), OMP_NUM_THREADS="1")
    resources = {"metadata": {"path": folder}}
    client = nbclient.NotebookClient(book, timeout=None, kernel_name="python3", resources=resources)
    client.execute(env=environment)
    return book


@pytest.mark.parametrize("with_state", [False, True], ids=["as JupyterLab saves it", "with the widgets' state"])
def test_an_html_page_has_the_filmstrip_and_its_caption(notebook: nbformat.NotebookNode, with_state: bool) -> None:
    book = nbformat.from_dict(notebook)
    if not with_state:
        book.metadata.pop("widgets")
    page, _ = HTMLExporter().from_notebook_node(book)
    shown = "\n".join(page.split('<div class="jp-OutputArea-child')[1:])
    assert shown.count("data-dkd-filmstrip") == 7
    assert "numbered · numpy-double · frames 0, 15, 30, 44, 59 of 60" in shown
    assert re.search(r"tracing .*: 3 frames in \d+\.\d s", shown)
    assert "How many frames?" in shown and "About 5 minutes" in shown
    words = re.sub(r"<script.*?</script>|<[^>]*>", "", shown, flags=re.S)
    assert not re.search(r"0x[0-9a-f]{6}|object at|0%\||HBox|widget-view", words), words


def test_an_export_as_markdown_has_the_stills_and_no_objects(notebook: nbformat.NotebookNode) -> None:
    text, _ = MarkdownExporter().from_notebook_node(notebook)
    assert not re.search(r"0x[0-9a-f]{6}|object at|0%\||HBox", re.sub(r"base64,[^\"]*", "", text))
    assert text.count("data-dkd-filmstrip") == 7
