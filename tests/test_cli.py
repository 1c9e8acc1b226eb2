"""The command line: what it writes, and one clear line for what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dkd import Clip, Trace, load_model
from dkd.cli import main
from dkd.samples import get_sample


@pytest.fixture(scope="module")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few frames of the rendered sample as a file of its own."""
    import av

    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    with Clip(get_sample("rendered_walk").path) as clip, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for t in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(clip.frame(t), format="rgb24")))
        out.mux(stream.encode())
    return path


def test_track_writes_what_the_library_finds(
    short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = get_sample("rendered_walk").box
    out = tmp_path / "poses.csv"
    assert main(["track", str(short_clip), "--box", ",".join(map(str, box)), "--out", str(out)]) == 0
    table = pd.read_csv(out)
    assert list(table.columns) == ["frame", "time_s", "joint", "x", "y", "score"]
    expected = Trace(load_model("dkd-mobilenetv2"), Clip(short_clip), box, progress=False).to_frame()
    assert list(table.joint) == list(expected.joint)
    np.testing.assert_allclose(
        table[["frame", "time_s", "x", "y", "score"]], expected[["frame", "time_s", "x", "y", "score"]], rtol=1e-4
    )
    captured = capsys.readouterr()
    assert "5 frames, 13 joints" in captured.out
    assert "tracing" in captured.err  # the progress bar
    assert [p.name for p in tmp_path.iterdir()] == ["poses.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{clip}", "--box", "1,2,3", "--out", "{tmp}/o.csv"], "expected --box x0,y0,x1,y1"),
        (["{clip}", "--box", "a,b,c,d", "--out", "{tmp}/o.csv"], "expected --box x0,y0,x1,y1"),
        (["{clip}", "--box", "5000,5000,6000,6000", "--out", "{tmp}/o.csv"], "outside the frame"),
        (["{clip}", "--model", "dkd-resnet", "--out", "{tmp}/o.csv"], "unknown"),
        (["{clip}", "--model", "{tmp}/none.safetensors", "--out", "{tmp}/o.csv"], "found no file"),
        (["{clip}", "--out", "{tmp}/nowhere/o.csv"], "folder that exists"),
        (["{tmp}/none.mp4", "--out", "{tmp}/o.csv"], "none.mp4"),
        (["{text}", "--out", "{tmp}/o.csv"], "text.mp4"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is not a video\n" * 50)
    filled = [a.format(clip=short_clip, tmp=tmp_path, text=text) for a in arguments]
    assert main(["track", *filled]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dkd: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "o.csv").exists()


def test_a_full_disk_leaves_no_half_table(
    short_clip: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", no_room)
    assert main(["track", str(short_clip), "--out", str(tmp_path / "o.csv")]) == 2
    assert "No space left" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_unknown_commands_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["trak"])
    assert stop.value.code == 2
    assert "track" in capsys.readouterr().err
