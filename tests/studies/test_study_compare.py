"""Comparison of groups: intervals against exact enumerations and closed forms; tables, figures and the paragraph."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dkd import ClipRange, Study
from dkd.cli.main import main
from dkd.errors import ConfigError
from dkd.studies.columns import CLIP_COLUMNS
from dkd.studies.compare import GroupComparison, compare_groups
from dkd.studies.figures import drawn_of, plot_groups
from dkd.studies.table import read_table, write_table
from tests.support.fake_trace import FakeClip
from tests.support.many_clips import many_clips

N = 12


def clips_of(*rows: tuple[str, str, float | None]) -> pd.DataFrame:
    """A table of clips of (video, condition, confidence)."""
    table = pd.DataFrame(rows, columns=["video", "condition", "confidence"])
    table["confidence"] = table["confidence"].astype(float)
    return table.assign(name=[f"row-{i}" for i in range(len(table))])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return many_clips(tmp_path_factory.mktemp("study"), N)


def exact_interval(groups: dict[str, list[tuple[str, float]]]) -> tuple[float, float]:
    """The percentiles of the mean of one group over all equally likely draws of its videos, by plain loops."""
    (clips,) = groups.values()
    videos = sorted({video for video, _ in clips})
    means = []
    for draw in itertools.product(videos, repeat=len(videos)):
        values = [value for drawn in draw for video, value in clips if video == drawn]
        means.append(sum(values) / len(values))
    means.sort()
    return means[int(0.025 * len(means))], means[int(0.975 * len(means))]


def test_an_interval_is_that_of_all_draws_of_the_videos() -> None:
    """Five videos, one of them with two clips: 3,125 draws."""
    values = [("a", 0.0), ("b", 1.0), ("c", 10.0), ("d", 2.0), ("d", 3.0), ("e", 7.0)]
    clips = clips_of(*[(video, "walk", value) for video, value in values])
    row = compare_groups(clips, "condition", n_resamples=50_000).groups.loc["walk"]
    low, high = exact_interval({"walk": values})
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.35)  # the draws are 0.1 to 0.5 apart there
    assert (row["clips"], row["units"], row["mean"]) == (6, 5, pytest.approx(23 / 6))
    assert row["sd"] == pytest.approx(np.std([v for _, v in values], ddof=1))
    assert (row["min"], row["median"], row["max"]) == (0, 2.5, 10)


def test_of_many_clips_the_interval_is_that_of_the_normal_distribution() -> None:
    random = np.random.default_rng(1)
    walk, run = random.normal(3, 2, 400), random.normal(2, 1, 300)
    clips = clips_of(
        *[(f"w{i}", "walk", x) for i, x in enumerate(walk)], *[(f"r{i}", "run", x) for i, x in enumerate(run)]
    )
    found = compare_groups(clips, "condition", n_resamples=20_000)
    for name, x in (("walk", walk), ("run", run)):
        row, reach = found.groups.loc[name], 1.96 * x.std() / np.sqrt(len(x))
        assert (row["low"], row["high"]) == pytest.approx((x.mean() - reach, x.mean() + reach), abs=0.06 * reach)
    (one,) = found.differences.itertuples(index=False)
    reach = 1.96 * np.sqrt(walk.var() / 400 + run.var() / 300)
    middle = run.mean() - walk.mean()
    assert (one.first, one.second, one.paired) == ("run", "walk", False) and one.difference == pytest.approx(middle)
    assert (one.low, one.high) == pytest.approx((middle - reach, middle + reach), abs=0.06 * reach)
    assert "too narrow" not in str(found)


def test_a_difference_within_videos_is_paired() -> None:
    """What a video adds to both of its clips cancels: the interval is that of the differences."""
    random = np.random.default_rng(2)
    base, gain = random.normal(0, 100, 60), random.normal(1, 0.1, 60)
    rows = [
        (f"v{i}", side, base[i] + (gain[i] if side == "right" else 0)) for i in range(60) for side in ("left", "right")
    ]
    found = compare_groups(clips_of(*rows), "condition", groups=["right", "left"], n_resamples=5000)
    (one,) = found.differences.itertuples(index=False)
    reach = 1.96 * gain.std() / np.sqrt(60)
    assert one[5:] == (True, 60) and one.difference == pytest.approx(gain.mean())
    assert (one.low, one.high) == pytest.approx((gain.mean() - reach, gain.mean() + reach), abs=0.1 * reach)
    # Subjects instead of videos.
    subjects = clips_of(*[(f"{video}{side}", side, value) for video, side, value in rows])
    subjects["subject"] = [video for video, _, _ in rows]
    by_subject = compare_groups(subjects, "condition", groups=["right", "left"], unit="subject", n_resamples=5000)
    assert by_subject.differences.equals(found.differences) and "5000 resamples of subjects" in by_subject.note()
    # The same values in different videos: the interval is a hundred times as wide.
    apart = [(f"{video}{side}", side, value) for video, side, value in rows]
    (other,) = compare_groups(clips_of(*apart), "condition", groups=["right", "left"]).differences.itertuples(
        index=False
    )
    assert other[5:] == (False, 0) and other.difference == pytest.approx(one.difference)
    assert other.high - other.low > 100 * (one.high - one.low)


def test_equal_seeds_give_equal_intervals_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = clips_of(*[(f"v{i}", "ab"[i % 2], i * i % 17) for i in range(40)])
    one = compare_groups(clips, "condition", seed=4)
    pd.testing.assert_frame_equal(one.groups, compare_groups(clips, "condition", seed=4).groups)
    assert not one.groups["low"].equals(compare_groups(clips, "condition", seed=5).groups["low"])
    monkeypatch.setattr("dkd.studies.compare._BLOCK", 100)
    pd.testing.assert_frame_equal(one.groups, compare_groups(clips, "condition", seed=4).groups)
    pd.testing.assert_frame_equal(one.differences, compare_groups(clips, "condition", seed=4).differences)


def test_clips_without_a_value_are_left_out_and_counted() -> None:
    rows: list[tuple[str, str, float | None]] = [
        ("a", "x", 1),
        ("b", "x", 2),
        ("c", "x", None),
        ("d", "", 3),
        ("e", "", 5),
    ]
    found = compare_groups(clips_of(*rows), "condition")
    assert found.left_out == 1 and found.groups["mean"].to_dict() == {"(empty)": 4, "x": 1.5}
    assert "Left out, without a value or of another group: 1 of the clips." in str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("conditoin",), "expected the column of a group, got 'conditoin'; did you mean 'condition'?"),
        (("condition", "confidense"), "expected the column of a measure, got 'confidense'; did you mean 'confidence'?"),
        (("condition", "video"), "expected the column of a measure, got 'video'"),
        (("confidence",), "expected the column of a group, got 'confidence'"),
        ((None,), "expected the column of a group, got None"),
        (("condition",), "got 1 of 1 in condition='one'; add clips, or choose other groups"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(arguments: tuple[str, ...], message: str) -> None:
    clips = clips_of(("a", "two", 1), ("b", "two", 2), ("c", "one", 3))
    with pytest.raises(ConfigError, match=re.escape(message)):
        compare_groups(clips, *arguments)


def test_groups_and_numbers_of_the_bootstrap_are_checked() -> None:
    clips = clips_of(*[(f"v{i}", f"g{i // 2}", i) for i in range(60)])
    with pytest.raises(ConfigError, match="expected at most 24 groups, got 30 values of 'condition'"):
        compare_groups(clips, "condition")
    with pytest.raises(ConfigError, match="has condition='g99'"):
        compare_groups(clips, "condition", groups=["g1", "g99"])
    bad: list[dict[str, Any]] = [{"n_resamples": 3}, {"seed": -1}, {"groups": 5}, {"groups": []}]
    for wrong in bad:
        with pytest.raises(ConfigError, match="expected"):
            compare_groups(clips, "condition", **wrong)
    two = compare_groups(clips, "condition", groups=["g3", "g1"])
    assert list(two.groups.index) == ["g3", "g1"] and two.left_out == 56
    assert "Intervals of fewer than 10 videos are too narrow as a rule." in str(two)


@pytest.mark.parametrize("written", ["../study/../videos/clip000.mp4", ".././videos/clip000.mp4", "absolute"])
def test_the_same_video_is_one_however_it_is_written(study: Study, tmp_path: Path, written: str) -> None:
    first = read_table(study.folder / "study.csv")[0]
    video = str(study.video(first)) if written == "absolute" else written
    other = dataclasses.replace(first, video=video)
    write_table(study.folder / "twice.csv", [first, other])
    with pytest.raises(ConfigError, match="line 3: the same video, person and frames as line 2"):
        read_table(study.folder / "twice.csv")
    write_table(study.folder / "twice.csv", [first, dataclasses.replace(other, person="Ben")])
    assert len(read_table(study.folder / "twice.csv")) == 2


def named(name: str) -> GroupComparison:
    """A comparison whose groups have odd names."""
    rows = [(f"v{i}", (name, "b")[i % 2], float(i % 5)) for i in range(20)]
    return compare_groups(clips_of(*rows), "condition")


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_a_figure_is_saved_whole_and_equal_ones_are_equal_files(tmp_path: Path, ending: str) -> None:
    comparison = named("a $x_1$ & <b>")
    one, other = (comparison.save(tmp_path / f"{name}{ending}").read_bytes() for name in ("one", "other"))
    assert one == other and len(one) > 2000
    assert one.startswith({".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}[ending])
    if ending == ".svg":
        assert b"a $x_1$ &amp; &lt;b&gt;" in one  # a name is shown as it is, and stays text
    (axes,) = plot_groups(comparison).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a $x_1$ & <b>\nn = 10", "b\nn = 10"]
    assert [np.shape(points.get_offsets())[0] for points in axes.collections[:1]] == [10]


def test_tables_are_saved_and_names_are_no_formulas(tmp_path: Path) -> None:
    comparison = named("=A1_2|x")
    with (comparison.save(tmp_path / "a.csv")).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["group"] for row in rows] == ["'=A1_2|x", "b"] and float(rows[1]["mean"]) == comparison.groups["mean"][
        "b"
    ]
    assert r"| =A1\_2\|x" in comparison.save(tmp_path / "a.md").read_text()
    assert r"=A1\_2\textbar{}x & 10 & 10 & " in comparison.save(tmp_path / "a.tex").read_text()
    with pytest.raises(ConfigError, match="expected a file that ends in .svg, .png, .pdf, .csv, .md, .tex"):
        comparison.save(tmp_path / "a.doc")
    with pytest.raises(ConfigError, match="did you mean 'latex'"):
        comparison.text("latx")


def test_of_very_many_points_evenly_spaced_ranks_are_drawn() -> None:
    values = np.random.default_rng(0).permutation(10_000)
    drawn = np.sort(values[drawn_of(values, 101)])
    assert (drawn[0], drawn[-1], len(drawn)) == (0, 9999, 101) and np.ptp(np.diff(drawn)) <= 1
    assert drawn_of(values, 10_000).tolist() == list(range(10_000))


def test_the_command_prints_and_saves(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["study", "compare", str(study.folder), "--by", "condition", "--measure", "jumps", "--resamples", "500"]
    assert main([*command, "-o", str(tmp_path / "jumps.svg")]) == 0
    shown = capsys.readouterr().out
    jumps = study.clips().groupby("condition")["jumps"].mean()
    assert (tmp_path / "jumps.svg").exists() and "500 resamples of videos, seed 0" in shown
    line = next(line for line in shown.splitlines() if line.startswith("walk"))
    assert float(line.split()[3]) == pytest.approx(jumps["walk"], abs=1e-4)
    assert main([*command, "--groups", "fly"]) == 2
    assert "has condition='fly'" in capsys.readouterr().err
    assert main(["study", "methods", str(study.folder), "--by", "condition", "--format", "markdown"]) == 0
    assert r"(condition) were compared by the mean over clips of confidence (run: " in capsys.readouterr().out


def test_the_paragraph_has_the_numbers_of_the_study(study: Study) -> None:
    comparison = study.compare("condition", "jumps", seed=7)
    text = study.methods(comparison=comparison)
    clips = study.clips()
    assert text.startswith(f"{N - 1} clips from {N - 1} videos ({(N - 1) * 8} frames") and "\n" not in text
    assert (
        clips["model_sha256"].dropna().iloc[0] in text
        and "1 clip could not be analysed (1 VideoNotFoundError)." in text
    )
    assert f"from a given box ({N - 1} clips)" in text and "was not searched for again" in text
    row = comparison.groups.loc["walk"]
    assert f"walk: {row['mean']:.3g} [{row['low']:.3g}, {row['high']:.3g}], {row['clips']:.0f} clips" in text
    assert "2000 resamples of videos, seed 7)" in text and "(not paired)." in text
    assert study.methods("latex", comparison).count(r"95 \%") == 1
    assert r"\[" in study.methods("markdown", comparison)
    with pytest.raises(ConfigError, match="unknown format 'latx'; did you mean 'latex'?"):
        study.methods("latx")


def test_the_table_of_clips_is_saved_without_formulas(study: Study, tmp_path: Path) -> None:
    clips = study.clips()
    clips.loc[0, "person"] = "=cmd|' /C calc'!A0"
    with study.save_clips(tmp_path / "clips.csv", clips).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == N and rows[0]["person"] == "'=cmd|' /C calc'!A0"
    assert set(rows[0]) == {*CLIP_COLUMNS, "condition"}
    assert float(rows[0]["confidence"]) == clips["confidence"].iloc[0]
    with pytest.raises(ConfigError, match=r"expected a file that ends in .csv, got .*clips.xls"):
        study.save_clips(tmp_path / "clips.xls")


@pytest.mark.parametrize("wrong", [None, 5, b"study", "", ["study"], "stu\0dy"])
def test_what_is_no_path_is_refused(study: Study, tmp_path: Path, wrong: Any) -> None:
    for call in (
        lambda: Study(wrong),
        lambda: Study.create(["a.mp4"], wrong),
        lambda: Study.create([wrong], tmp_path / "new"),
        lambda: study.save_clips(wrong),
        lambda: study.row(wrong),
    ):
        with pytest.raises(ConfigError, match=r"expected .* as a path|there is no row|to be text"):
            call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", ["2", 2.5, True, 0, -1])
def test_what_is_no_number_of_workers_or_attempts_is_refused(study: Study, wrong: Any) -> None:
    for call in (lambda: next(study.run(wrong)), lambda: next(study.run(attempts=wrong))):
        with pytest.raises(ConfigError, match=f"expected (1 to|(workers|attempts) of Study.run).*, got {wrong!r}"):
            call()


@pytest.mark.parametrize("wrong", [None, 5, "video.mp4", Path("video.mp4")])
def test_a_range_is_of_a_clip(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"expected clip of ClipRange\(\) to be a clip, got"):
        ClipRange(wrong)
    with pytest.raises(ConfigError, match=r"expected start of ClipRange\(\) to be a whole number, got 'a'"):
        ClipRange(FakeClip(5), "a", 3)  # type: ignore[arg-type]


def test_results_are_not_written_over_the_table_of_a_study(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, other = tmp_path / "study.csv", tmp_path / "groups.csv"
    table.write_text("video\n")
    for save in (study.save_clips, study.compare("condition").save):
        with pytest.raises(ConfigError, match="belongs to the study itself; choose another name"):
            save(table)
    command = ["study", "compare", str(study.folder), "--by", "condition", "-o"]
    assert main([*command, str(table)]) == 2 and "exists already; add --force" in capsys.readouterr().err
    assert main([*command, str(table), "--force"]) == 2 and "belongs to the study" in capsys.readouterr().err
    assert main([*command, str(other)]) == 0 and main([*command, str(other)]) == 2
    assert main([*command, str(other), "--force"]) == 0
    assert table.read_text() == "video\n"
