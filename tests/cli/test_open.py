"""``dkd open``: a notebook for a video, in a real JupyterLab; no notebook is ever changed."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from dkd.cli.main import main
from dkd.errors import StorageError
from dkd.serve.studio_notebook import studio_notebook
from dkd.video.samples import default_sample
from tests.support.server import Server


def call_in(notebook: Path) -> str:
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    (cell,) = content.cells
    assert cell.outputs == [] and cell.source.startswith("from widgets import Studio\n\n")
    return cell.source.splitlines()[-1]


def test_a_real_lab_opens_a_notebook_made_for_the_video(tmp_path) -> None:
    (tmp_path / "my videos").mkdir()
    shutil.copy(default_sample().path, tmp_path / "my videos" / "walk.mp4")
    (tmp_path / "server").mkdir()
    server = Server(
        ["open", "my videos/walk.mp4", "--no-browser", "--port", "0"], tmp_path / "server", "is open at", cwd=tmp_path
    )
    try:
        address = urlsplit(server.printed_url)
        assert address.path == "/lab/tree/walk.ipynb"
        with urllib.request.urlopen(f"{server.url}/api/contents/walk.ipynb?{address.query}") as answer:
            cells = json.load(answer)["content"]["cells"]
    finally:
        server.process.terminate()
        server.process.wait()
    assert cells[0]["source"].endswith("Studio('walk.mp4')")
    assert call_in(tmp_path / "my videos" / "walk.ipynb") == "Studio('walk.mp4')"


def test_a_notebook_is_never_changed(tmp_path) -> None:
    video = tmp_path / "walk.mp4"
    video.touch()
    mine = tmp_path / "walk.ipynb"
    mine.write_text("my own work")
    first = studio_notebook(video)
    assert first == tmp_path / "walk-2.ipynb" and mine.read_text() == "my own work"
    content = json.loads(first.read_text())
    content["cells"].append({"cell_type": "markdown", "id": "n", "metadata": {}, "source": ["notes"]})
    first.write_text(json.dumps(content))
    before = first.read_bytes()
    assert studio_notebook(video) == first and first.read_bytes() == before  # it opens this video already
    assert studio_notebook(tmp_path / "walk.mov") == tmp_path / "walk-3.ipynb"
    (tmp_path / "loop.ipynb").symlink_to(tmp_path / "nowhere.ipynb")
    assert studio_notebook(tmp_path / "loop.mp4") == tmp_path / "loop-2.ipynb"
    assert not (tmp_path / "nowhere.ipynb").exists()


@pytest.mark.parametrize(
    ("video", "notebook", "call"),
    [
        ("a b/it's.mp4", "it's.ipynb", 'Studio("../a b/it\'s.mp4")'),
        ("a b/walk.dkd.json", "walk.ipynb", "Studio('../a b/walk.dkd.json')"),
        ("a b/im_%05d.png", "im.ipynb", "Studio('../a b/im_%05d.png')"),
        ("a b/%d.png", "video.ipynb", "Studio('../a b/%d.png')"),
        ("frames.1", "frames.1.ipynb", "Studio('../frames.1')"),
        ("a b/\\n.mp4", "\\n.ipynb", "Studio('../a b/\\\\n.mp4')"),
    ],
)
def test_names_and_paths_as_seen_from_another_folder(tmp_path, video, notebook, call) -> None:
    (tmp_path / "frames.1").mkdir()
    made = studio_notebook(tmp_path / video, tmp_path / "out")
    assert made == tmp_path / "out" / notebook and call_in(made) == call


def test_a_folder_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="choose another path"):
        studio_notebook(tmp_path / "walk.mp4", tmp_path / "file" / "x")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nowhere.mp4", None, "nothing at"),
        ("text.mp4", "no video " * 99, "is a text file"),
        ("x.dkd.json", "{", "not a session"),
    ],
)
def test_what_cannot_be_opened_is_one_line_and_makes_no_notebook(tmp_path, capsys, name, content, words) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert main(["open", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert list(tmp_path.glob("*.ipynb")) == []
