"""Messages of commands speak of options, those of Python of arguments."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dkd.cli.main import main
from dkd.cli.words import as_options
from tests.conftest import ROOT

# Rooms whose errors a command can show; what only Python can do is named in Python's words.
_ROOMS = ("datasets", "engines", "formats", "sessions", "video")
_ONLY_PYTHON = {
    "export_corrections(trace)": "there is no command that corrects a trace",
    "person=…": "as_trace is for notebooks",
    "plot_lanes(trace)": "figures of a trace are made in notebooks",
    "dkd.load_poses(path)": "a command is given paths",
    "Clip(path)": "commands open what they use",
    "rig='anny'": "a setting, given as key=value",
    "__name__": "a script in Python",
}
_HINT = re.compile(r"\b[a-z_]+=(?:…|\(|'\w|[A-Z])|\b[\w.]+\([a-z_]+(?:=\w+)?\)")


def _hints() -> list[str]:
    """Return the constant parts of messages that name an argument, or a call, of Python."""
    found = []
    for room in _ROOMS:
        for path in sorted((ROOT / "dkd" / room).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    parts = (n.value for n in ast.walk(node.exc) if isinstance(n, ast.Constant))
                    text = " ".join(part for part in parts if isinstance(part, str))
                    if _HINT.search(text) and not any(word in text for word in _ONLY_PYTHON):
                        found.append(text)
    return found


def test_hints_for_python_become_options() -> None:
    hints = _hints()
    assert len(hints) >= 8
    left = [as_options(text) for text in hints if _HINT.search(as_options(text))]
    assert left == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("this format needs the size; add size=(w, h)", "this format needs the size; add --size WxH"),
        ("add fps=…, the video's rate", "add --fps, the video's rate"),
        ("fps=25.0 is for images only: a.mp4 has its own times; leave fps out",
         "--fps 25.0 is for images only: a.mp4 has its own times; leave --fps out"),
        ("several recordings? Choose by a pattern, as in Clip('im_%05d.png')",
         "several recordings? Choose by a pattern, as in im_%05d.png"),
        ("use engine='torch'", "use --engine torch"),
        ("stopped after 3 of 9 frames; trace.run() continues", "stopped after 3 of 9 frames"),
        ("frames need at least 1.2 MB, got max_mb=1; give fewer frames=range(first, stop), or fewer people",
         "frames need at least 1.2 MB, got --max-mb 1; give fewer --frames FIRST:STOP, or fewer people"),
        ("no file \x1b[2Ja\x07.mp4\nand a line", "no file \\x1b[2Ja\\x07.mp4\nand a line"),
        ("a file fps=3.mp4 is not there", "a file fps=3.mp4 is not there"),
    ],
)  # fmt: skip
def test_what_is_said(message: str, said: str) -> None:
    assert as_options(message) == said


def test_a_command_names_its_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = tmp_path / "a.csv"
    poses.write_text("frame,time_s,person,joint,x,y,score\n0,,a,head,1,2,0.5\n1,,a,head,1,2,0.5\n")
    for ending, option in ((".coco.json", "--size WxH"), (".trc", "--fps"), (".mp4", "--video"), (".svg", "--video")):
        assert main(["export-poses", str(poses), "--out", str(tmp_path / f"o{ending}")]) == 2
        said = capsys.readouterr().err
        assert option in said and "=" not in said, said
    assert main(["export-poses", str(poses)]) == 2
    assert "expected --out FILE, --all FOLDER, or --joints" in capsys.readouterr().err
    assert main(["export-poses", str(poses), "--joints"]) == 0
    assert "head" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


def test_a_name_that_is_no_unicode_is_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dkd", "export-poses", b"\xff.csv", "--out", b"\xfe.csv"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)  # type: ignore[arg-type]
    assert ended.returncode == 2 and "Traceback" not in ended.stderr and "\\udcff.csv" in ended.stderr
