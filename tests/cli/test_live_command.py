"""``dkd live``: joints are printed as they come, and what is printed is what is counted."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dkd import Clip, load_poses
from dkd.cli.main import main
from dkd.video.samples import get_sample
from tests.support.video_files import draw_number, write_clip

WALK = get_sample("rendered_walk")
BOX = ",".join(map(str, WALK.box))
COUNTS = re.compile(r"dkd: (\d+) of (\d+) frames tracked, (\d+) dropped; [\d.]+ ms late \(capture [\d.]+ \+ decode")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with Clip(WALK.path) as clip:
        return write_clip(tmp_path_factory.mktemp("walk") / "walk.mp4", [clip.frame(t) for t in range(15)])


def test_rows_are_printed_and_written_for_each_tracked_frame(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "seen.tidy.csv"
    assert main(["live", str(walk), "--box", BOX, "--out", str(out)]) == 0
    captured = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(captured.out)))
    assert list(rows[0]) == ["frame", "time_s", "joint", "x", "y", "score", "confidence", "latency_ms"]
    numbers = list(dict.fromkeys(int(row["frame"]) for row in rows))
    assert numbers == sorted(numbers) and numbers[-1] == 14 and len(rows) == 13 * len(numbers)
    counts = COUNTS.search(captured.err)
    assert counts, captured.err
    tracked, of, dropped = map(int, counts.groups())
    assert (tracked, of, tracked + dropped) == (len(numbers), 15, 15)
    written = load_poses(out)
    assert list(written.frames) == numbers
    printed = np.array([[float(row["x"]), float(row["y"])] for row in rows]).reshape(-1, 13, 2)
    np.testing.assert_allclose(written.xy[:, 0], printed, atol=0.006)
    np.testing.assert_allclose(written.times, np.array(numbers) / 25, atol=1e-6)
    assert all(0 <= float(row["confidence"]) <= 1 and float(row["latency_ms"]) > 0 for row in rows)


def test_a_line_of_json_per_frame_until_the_time_is_over(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["live", str(walk), "--box", BOX, "--loop", "--seconds", "1", "--format", "jsonl", "--quiet"]
    assert main(command) == 0
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert captured.err == "" and lines
    assert [line["frame"] for line in lines] == sorted({line["frame"] for line in lines})
    assert all(line["time_s"] == pytest.approx(line["frame"] / 25) and line["time_s"] <= 1 for line in lines)
    assert {one["joint"] for one in lines[0]["joints"]} >= {"head", "left_wrist"}
    assert set(lines[0]["joints"][0]) == {"joint", "x", "y", "score", "confidence"}


def test_the_file_holds_the_frames_that_are_printed(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "seen.tidy.csv"
    command = ["live", str(walk), "--box", BOX, "--loop", "--seconds", "1", "--out", str(out), "--format", "jsonl"]
    assert main([*command, "--quiet"]) == 0
    printed = [json.loads(line)["frame"] for line in capsys.readouterr().out.splitlines()]
    written = load_poses(out)
    assert list(written.frames) == printed and written.times[-1] <= 1


def test_what_was_seen_is_written_when_the_reader_has_seen_enough(walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen.slp"
    command = ["live", str(walk), "--box", BOX, "--loop", "--out", str(out), "--quiet"]
    live = subprocess.Popen([sys.executable, "-m", "dkd", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert live.stdout is not None and live.stdout.readline().startswith(b"frame,")
    live.stdout.close()
    assert live.wait() == 141 and live.stderr is not None and live.stderr.read() == b""
    assert len(load_poses(out).frames) >= 1


def test_a_model_without_calibration_has_no_confidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "one.mp4", [draw_number(1)])
    monkeypatch.setattr("dkd.live.live.calibration_of", lambda model: None)
    assert main(["live", str(path), "--format", "jsonl", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["joints"][0]["confidence"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["77"], "the camera 77 cannot be opened"),
        (["/dev/video77"], "expected a camera at '/dev/video77', but there is nothing"),
        (["missing.mp4"], "there is nothing at 'missing.mp4'"),
        (["{walk}", "--box", "1,2,3"], "expected --box x0,y0,x1,y1"),
        (["{walk}", "--box", "9000,0,9100,100"], "lies outside the frame of"),
        (["{walk}", "--seconds", "-1"], "expected --seconds above 0, got -1"),
        (["{walk}", "--out", "{walk}.csv.xyz"], "ends in"),
        (["{walk}", "--out", "{walk}.gif"], "expected a pose file as --out"),
        (["{walk}", "--out", "{walk}/out.slp"], "expected a folder, got the file"),
    ],
)
def test_errors_are_one_line(
    walk: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", *(one.format(walk=walk) for one in arguments), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert len([line for line in error.splitlines() if line.startswith("dkd:")]) == 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_was_seen_is_written_when_the_process_is_told_to_end(walk: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "seen.npz"
    command = ["live", str(walk), "--box", BOX, "--loop", "--out", str(out), "--quiet"]
    # The signal is not ignored, even where these tests run under nohup, whose child would ignore SIGHUP, too.
    default = "default_int_handler" if name == "SIGINT" else "SIG_DFL"
    set_up = f"import runpy, signal; signal.signal(signal.{name}, signal.{default})"
    run = f"{set_up}; runpy.run_module('dkd', run_name='__main__', alter_sys=True)"
    live = subprocess.Popen([sys.executable, "-c", run, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert live.stdout is not None and live.stdout.readline().startswith(b"frame,")
    assert live.stdout.readline()  # something was seen
    live.send_signal(getattr(signal, name))
    _, said = live.communicate()
    assert (live.returncode, said) == (0, b"")
    assert len(load_poses(out).frames) >= 1


_ON_A_FULL_DISK = """
import errno, os, sys
from dkd.cli.main import main

def full(event, arguments):
    if event == "open" and str(arguments[0]).startswith(sys.argv[1]) and (arguments[2] or 0) & os.O_CREAT:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

sys.addaudithook(full)
sys.exit(main(sys.argv[2:]))
"""


def test_what_cannot_be_written_is_kept_elsewhere(walk: Path, tmp_path: Path) -> None:
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    disk.mkdir()
    elsewhere.mkdir()
    command = ["live", str(walk), "--box", BOX, "--quiet", "--out", str(disk / "seen.tidy.csv")]
    program = [sys.executable, "-c", _ON_A_FULL_DISK, str(disk), *command]
    ended = subprocess.run(program, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(elsewhere)})
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended.stderr
    found = re.search(
        r"^dkd: cannot write .*No space left.*kept in (\S+\.npz); once .* use dkd export-poses", ended.stderr
    )
    assert found, ended.stderr
    printed = {int(row["frame"]) for row in csv.DictReader(io.StringIO(ended.stdout))}
    assert set(load_poses(found[1]).frames.tolist()) == printed and printed
    assert list(disk.iterdir()) == []
