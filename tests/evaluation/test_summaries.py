"""Summaries of the evaluation table against explicit loops over its rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd.datasets.penn_action import PennLabels
from dkd.errors import ConfigError, ShapeError
from dkd.evaluation.protocols import average_folds, get_protocol, normaliser, paper_columns
from dkd.evaluation.summaries import COLUMNS, add_errors, paired, pck_curves, per_joint, summarise, worst_moments
from dkd.measures.metrics import joint_sigmas
from dkd.pose.skeleton import get_skeleton, mirror_name
from tests.evaluation.test_protocols import penn_files, penn_test_set, person_of  # noqa: F401

JOINTS = get_skeleton("penn_action").joints
TEXT = ("model", "data", "video", "action", "joint", "labels", "skeleton")
Row = dict[str, Any]


def make_table(
    seed: int = 0,
    models: tuple[str, ...] = ("dkd", "dkd+erased"),
    videos: tuple[tuple[str, str], ...] = (("rendered", "a"), ("rendered", "b"), ("pose2sim", "a")),
    n_frames: int = 6,
) -> pd.DataFrame:
    """Random joints on a coarse grid, so that hits, flips, jitter and ties are frequent; one truth for all models."""
    rng = np.random.default_rng(seed)
    shape = (n_frames, 13)
    parts = []
    for data, video in videos:
        truth = rng.integers(0, 5, (*shape, 2)) * 10.0
        truth[rng.random(shape) < 0.15] = np.nan
        visible = np.isfinite(truth).all(-1) & (rng.random(shape) < 0.8)
        side = rng.choice([40.0, 50.0, 100.0], n_frames)
        torso = rng.choice([20.0, 50.0, np.nan], n_frames)
        for model in models:
            predicted = truth + rng.choice([0.0, 5.0, 10.0, 20.0], (*shape, 2)) * (rng.random(shape) < 0.5)[..., None]
            swap = rng.random(shape) < 0.2
            predicted[swap] = truth[:, list(get_skeleton("penn_action").flip_permutation)][swap]
            predicted[np.isnan(predicted).any(-1)] = 7.0
            predicted[rng.random(shape) < 0.03] = np.nan
            drift = np.full(n_frames, np.nan) if model == "peer" else rng.random(n_frames)
            parts.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "data": data,
                        "video": video,
                        "action": "squat" if video == "a" else "bowl",
                        "frame": np.repeat(np.arange(n_frames), 13),
                        "time_s": np.repeat(np.arange(n_frames) / 25, 13),
                        "joint": list(JOINTS) * n_frames,
                        "x": predicted[..., 0].ravel(),
                        "y": predicted[..., 1].ravel(),
                        "score": rng.random(shape).ravel(),
                        "true_x": truth[..., 0].ravel(),
                        "true_y": truth[..., 1].ravel(),
                        "visible": visible.ravel(),
                        "box_side": np.repeat(side, 13),
                        "box_area": np.repeat(side**2 / 2, 13),
                        "torso": np.repeat(torso, 13),
                        "in_crop": (rng.random(shape) < 0.9).ravel(),
                        "kernel_drift": np.repeat(drift, 13),
                        "labels": "exact (rendered)" if data == "rendered" else "machine labels",
                        "skeleton": "penn_action",
                    }
                )
            )
    table = pd.concat(parts, ignore_index=True)
    assert tuple(table.columns) == COLUMNS
    return table.astype(dict.fromkeys(TEXT, "category"))


def rows_of(table: pd.DataFrame) -> list[Row]:
    return table.astype(dict.fromkeys(TEXT, str)).to_dict("records")


class Plain:
    """The measures of a table's rows, one row at a time."""

    def __init__(self, table: pd.DataFrame, normaliser: str = "box", alpha: float = 0.2, counted: str | None = None):
        self.rows = rows_of(table)
        self.alpha = alpha
        self.at = {(r["model"], r["data"], r["video"], r["frame"], r["joint"]): r for r in self.rows}
        assert len(self.at) == len(self.rows)
        for r in self.rows:
            rule = counted or ("labelled" if r["data"].startswith(("pose2sim", "sub_jhmdb")) else "visible")
            length = r["box_side" if normaliser == "box" else "torso"]
            labelled = not math.isnan(r["true_x"])
            r["which"] = labelled and (rule == "labelled" or r["visible"])
            r["counted"] = r["which"] and length > 0
            r["length"] = length
            r["error_px"] = math.hypot(r["x"] - r["true_x"], r["y"] - r["true_y"])
            r["hit"] = r["counted"] and r["error_px"] <= alpha * length
        for r in self.rows:
            other = self.near(r, joint=mirror_name(r["joint"]))
            r["flipped"] = (
                r["counted"]
                and not r["hit"]
                and other is not None
                and other is not r
                and math.hypot(r["x"] - other["true_x"], r["y"] - other["true_y"]) <= alpha * r["length"]
            )

    def near(self, r: Row, frame: int = 0, joint: str | None = None) -> Row | None:
        return self.at.get((r["model"], r["data"], r["video"], r["frame"] + frame, joint or r["joint"]))

    def difference(self, r: Row, weights: dict[int, int], with_truth: bool) -> float:
        total = [0.0, 0.0]
        for frame, weight in weights.items():
            there = self.near(r, frame)
            if there is None or (with_truth and not there["which"]):
                return math.nan
            for d, axis in enumerate("xy"):
                total[d] += weight * (there[axis] - (there[f"true_{axis}"] if with_truth else 0.0))
        return math.hypot(*total) / r["box_side"] if not math.isnan(sum(total)) else math.nan

    def kind(self, r: Row) -> str:
        if not r["counted"]:
            return "not counted"
        if r["hit"]:
            return "good"
        if not r["in_crop"]:
            return "outside crop"
        if r["flipped"]:
            return "inversion"
        return "jitter" if r["error_px"] <= 2 * self.alpha * r["length"] else "miss"

    def past(self, r: Row) -> list[Row]:
        """Return counted rows of the same joint before this one, latest first."""
        before = [self.near(r, -i) for i in range(1, r["frame"] + 1)]
        return [b for b in before if b is not None and b["counted"]]

    def future(self, r: Row, last: int = 30) -> list[Row]:
        after = [self.near(r, i) for i in range(1, last)]
        return [a for a in after if a is not None and a["counted"]]

    def summary(self, rows: list[Row], alphas: tuple[float, ...]) -> dict[str, float]:
        counted = [r for r in rows if r["counted"]]
        out = {f"PCK@{a:g}": mean([r["error_px"] <= a * r["length"] for r in counted]) for a in alphas}
        out["AUC"] = mean([max(0.0, 1 - e / 0.2) if (e := r["error_px"] / r["length"]) < 9 else 0.0 for r in counted])
        frames: dict[tuple[str, ...], list[Row]] = {}
        for r in rows:
            frames.setdefault((r["model"], r["data"], r["video"], r["frame"]), []).append(r)
        sigma = dict(zip(JOINTS, joint_sigmas("penn_action"), strict=True))

        def similarity(r: Row) -> float:
            e = r["error_px"]
            return 0.0 if math.isnan(e) else math.exp(-(e**2) / (2 * 0.53 * r["box_area"] * 4 * sigma[r["joint"]] ** 2))

        out["OKS"] = mean([mean([similarity(r) for r in f if r["which"]]) for f in frames.values()])
        for name, weights, with_truth in (
            ("velocity error %", {-1: -1, 0: 1}, True),
            ("acceleration error %", {-1: 1, 0: -2, 1: 1}, True),
            ("jitter %", {-1: 1, 0: -2, 1: 1}, False),
            ("jerk %", {-2: -1, -1: 3, 0: -3, 1: 1}, False),
        ):
            out[name] = 100 * mean([self.difference(r, weights, with_truth) for r in rows])
        flips = [r for r in rows if r["flipped"] and not ((p := self.past(r)) and p[0]["flipped"])]
        lost = [r for r in counted if not r["hit"] and (p := self.past(r)) and p[0]["hit"]]
        back = [next((a["frame"] - r["frame"] for a in self.future(r) if a["hit"]), None) for r in lost]
        out["flips"] = 100 * len(flips) / len(frames)
        out["lost"] = 100 * len(lost) / len(frames)
        out["recovered"] = mean([b is not None for b in back])
        out["frames to recovery"] = mean([b for b in back if b is not None])
        out["kernel drift"] = mean([f[0]["kernel_drift"] for f in frames.values()])
        out["videos"] = len({(r["data"], r["video"]) for r in rows})
        out["frames"] = len(frames)
        out["joints counted"] = len(counted)
        out["joints skipped"] = sum(r["which"] and not r["counted"] for r in rows)
        return out


def mean(values: list[Any]) -> float:
    """Average the values that are not NaN; NaN if there are none."""
    known = [float(v) for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan


def check_summary(table: pd.DataFrame, by: tuple[str, ...], **options: Any) -> None:
    plain = Plain(table, options.get("normaliser", "box"), counted=options.get("counted"))
    groups: dict[Any, list[Row]] = {}
    for r in plain.rows:
        groups.setdefault(tuple(r[b] for b in by) if len(by) > 1 else r[by[0]], []).append(r)
    found = summarise(table, by, **options)
    assert list(found.index) == list(groups), "in the order in which they come"
    assert list(found.index.names) == list(by)
    for key, rows in groups.items():
        expected = plain.summary(rows, (0.2, 0.1, 0.05))
        assert list(found.columns) == list(expected)
        np.testing.assert_allclose(
            found.loc[key].astype(float), list(expected.values()), rtol=1e-9, atol=1e-9, err_msg=str(key)
        )


# Row by row


@given(st.integers(0, 10**6), st.sampled_from(["box", "torso"]), st.sampled_from([None, "visible", "labelled"]))
@settings(max_examples=15)
def test_errors_are_what_a_loop_finds(seed: int, unit: str, counted: str | None) -> None:
    table = make_table(seed)
    before = table.copy()
    found = add_errors(table, unit, 0.2, counted)
    pd.testing.assert_frame_equal(table, before)
    plain = Plain(table, unit, 0.2, counted)
    assert found["counted"].tolist() == [r["counted"] for r in plain.rows]
    assert found["hit"].tolist() == [r["hit"] for r in plain.rows]
    assert found["kind"].astype(str).tolist() == [plain.kind(r) for r in plain.rows]
    np.testing.assert_allclose(found["error_px"], [r["error_px"] for r in plain.rows])
    np.testing.assert_allclose(found["error"], [r["error_px"] / r["length"] for r in plain.rows])
    assert set(found["kind"].unique()) >= {"good", "jitter", "inversion", "miss", "outside crop", "not counted"}


def test_the_protocol_of_the_data_says_which_joints_count() -> None:
    found = add_errors(make_table())
    labelled = found["true_x"].notna()
    machine = found["data"] == "pose2sim"
    assert (found["counted"] == np.where(machine, labelled, labelled & found["visible"])).all()
    assert (labelled & ~found["visible"]).any()


# Groups


@given(
    st.integers(0, 10**6),
    st.sampled_from([("model",), ("model", "data"), ("action",), ("joint", "model"), ("model", "visible"), ("video",)]),
    st.sampled_from(["box", "torso"]),
)
@settings(max_examples=25)
def test_a_summary_agrees_with_loops(seed: int, by: tuple[str, ...], unit: str) -> None:
    check_summary(make_table(seed), by, normaliser=unit)


def test_a_summary_of_some_rows_does_not_join_frames_across_gaps() -> None:
    """Filtered tables, shuffled ones and plain strings: missing rows are not measured."""
    table = make_table(3, n_frames=9)
    check_summary(table[table["frame"] != 4], ("model",))
    check_summary(table[table["frame"] % 2 == 0], ("model",))
    check_summary(table[table["visible"]], ("model", "data"))
    check_summary(table[table["joint"] == "left_wrist"], ("model",))
    check_summary(table, ("model",), counted="labelled")
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(summarise(shuffled).sort_index(), summarise(table).sort_index())
    strings = table.astype(dict.fromkeys(TEXT, str))
    pd.testing.assert_frame_equal(summarise(strings), summarise(table), check_exact=False)


def test_a_summary_in_closed_form() -> None:
    """One motionless joint in 40 frames: right, then on the other side in frames 10 to 13, later lost permanently."""
    table = make_table(models=("dkd",), videos=(("rendered", "a"),), n_frames=40)
    table[["x", "y", "true_x", "true_y"]] = 0.0
    table["true_x"] = [1000.0 * JOINTS.index(joint) for joint in table["joint"]]
    table["x"] = table["true_x"]
    table[["visible", "in_crop"]] = True
    table["box_side"] = 100.0
    wrist = table["joint"] == "left_wrist"
    table.loc[wrist & table["frame"].between(10, 13), "x"] = 1000.0 * JOINTS.index("right_wrist")
    table.loc[wrist & (table["frame"] >= 30), "x"] += 25
    row = summarise(table, alphas=(0.2, 0.3)).loc["dkd"]
    assert row["PCK@0.2"] == pytest.approx(1 - 14 / 520)
    assert row["PCK@0.3"] == pytest.approx(1 - 4 / 520)
    assert row[["flips", "lost", "recovered", "frames to recovery"]].tolist() == [2.5, 5.0, 0.5, 4.0]
    wrong = summarise(table, ("joint",)).loc["left_wrist"]
    assert wrong[["PCK@0.2", "flips", "lost", "frames"]].tolist() == [26 / 40, 2.5, 5.0, 40]
    # steps of 10, 10 and 0.25 box sides, of 39; accelerations: each step up or down is two of them
    assert wrong["velocity error %"] == pytest.approx(100 * (10 + 10 + 0.25) / 39)
    assert wrong["acceleration error %"] == wrong["jitter %"] == pytest.approx(100 * 2 * (10 + 10 + 0.25) / 38)


def test_splits_are_kept_apart() -> None:
    table = make_table(videos=(("sub_jhmdb/1", "a"), ("sub_jhmdb/2", "b"), ("sub_jhmdb/3", "c")))
    for call in (summarise, per_joint, pck_curves, lambda t: paired(t, "dkd")):
        with pytest.raises(ConfigError, match="average_folds"):
            call(table)
    by_split = per_joint(table, ("model", "data"), columns="groups")
    averaged = average_folds([row for _, row in by_split.loc["dkd"].iterrows()])
    np.testing.assert_allclose(list(averaged.values()), by_split.loc["dkd"].mean())
    assert len(summarise(table[table["data"] == "sub_jhmdb/2"])) == 2  # one split alone is no mistake


# Joints and curves


@given(st.integers(0, 10**6), st.sampled_from(["box", "torso"]))
@settings(max_examples=10)
def test_joints_and_paper_columns_are_what_loops_find(seed: int, unit: str) -> None:
    table = make_table(seed)
    plain = Plain(table, unit, 0.1)
    joints = per_joint(table, ("data", "model"), unit, 0.1)
    columns = per_joint(table, ("data", "model"), unit, 0.1, columns="groups")
    assert tuple(joints.columns) == JOINTS
    for key in joints.index:
        mine = [r for r in plain.rows if (r["data"], r["model"]) == key and r["counted"]]
        share = {j: mean([r["hit"] for r in mine if r["joint"] == j]) for j in JOINTS}
        np.testing.assert_allclose(joints.loc[key], list(share.values()))
        assert columns.loc[key, "Elb"] == pytest.approx(mean([share["left_elbow"], share["right_elbow"]]), nan_ok=True)
        assert columns.loc[key, "mean (13 joints)"] == pytest.approx(sum(share.values()) / 13, nan_ok=True)
        assert columns.loc[key, "pooled (all joints)"] == pytest.approx(mean([r["hit"] for r in mine]), nan_ok=True)


def test_joint_sets_of_groups_may_differ() -> None:
    table = make_table(models=("dkd",), videos=(("rendered", "a"),))
    other = table.astype(dict.fromkeys(TEXT, str)).assign(data="sub_jhmdb", skeleton="sub_jhmdb")
    extra = other[other["joint"] == "head"]
    both = pd.concat(
        [table.astype(dict.fromkeys(TEXT, str)), other, extra.assign(joint="neck"), extra.assign(joint="belly")]
    )
    found = per_joint(both, ("data",), columns="groups")
    assert list(found.columns)[-4:] == [
        "mean (7 columns)",
        "mean (13 joints)",
        "mean (15 joints)",
        "pooled (all joints)",
    ]
    assert found["mean (15 joints)"].isna().tolist() == [True, False]


@given(st.integers(0, 10**6))
@settings(max_examples=10)
def test_curves_are_what_loops_find(seed: int) -> None:
    table = make_table(seed)
    plain = Plain(table)
    found = pck_curves(table, ("model", "data"), thresholds=[0, 0.1, 0.2, 0.5])
    assert list(found.columns) == ["model", "data", "threshold", "PCK"]
    assert len(found) == 4 * 4
    for row in found.itertuples():
        mine = [r for r in plain.rows if (r["model"], r["data"]) == (row.model, row.data) and r["counted"]]
        share = mean([r["error_px"] <= row.threshold * r["length"] for r in mine])
        assert abs(row.PCK - share) < 1e-12
    whole = pck_curves(table)
    assert len(whole) == 2 * 101
    at = whole[np.isclose(whole["threshold"], 0.2)].set_index("model")["PCK"]
    np.testing.assert_allclose(at, summarise(table)["PCK@0.2"])


# Pairs


def test_pairs_are_the_joints_that_both_have() -> None:
    table = make_table(1, models=("dkd", "dkd+erased", "peer"))
    drop = (table["model"] == "dkd") & (table["video"] == "b") & (table["frame"] > 2)
    drop |= (table["model"] == "dkd+erased") & (table["joint"] == "head")
    table = table[~drop]
    plain = Plain(table)
    found = paired(table, "dkd", ("model", "data"))
    assert set(found.index) == {(m, d) for m in ("dkd+erased", "peer") for d in ("rendered", "pose2sim")}
    for model, data in found.index:
        pairs = [
            (r, base)
            for r in plain.rows
            if (r["model"], r["data"]) == (model, data) and r["counted"]
            if (base := plain.at.get(("dkd", r["data"], r["video"], r["frame"], r["joint"]))) and base["counted"]
        ]
        row = found.loc[model, data]
        assert row["joints counted"] == len(pairs)
        assert row["videos"] == len({r["video"] for r, _ in pairs})
        assert row["PCK@0.2"] == pytest.approx(mean([r["hit"] for r, _ in pairs]))
        assert row["baseline"] == pytest.approx(mean([b["hit"] for _, b in pairs]))
        assert row["difference"] == pytest.approx(row["PCK@0.2"] - row["baseline"])
        if data == "rendered":
            assert row["low"] <= row["difference"] <= row["high"]
        else:  # one video tells nothing about another
            assert np.isnan(row["low"]) and np.isnan(row["high"])
    pd.testing.assert_frame_equal(found, paired(table, "dkd", ("model", "data")))
    assert paired(table, "dkd", "joint").index.names == ["model", "joint"]
    with pytest.raises(ConfigError, match="did you mean 'dkd'"):
        paired(table, "dkdd")


def test_the_interval_is_that_of_videos() -> None:
    """With videos that are all right or all wrong, the interval is the binomial one of 40 videos, not 5,200 joints."""
    table = make_table(models=("a", "b"), videos=tuple(("rendered", f"{i:02d}") for i in range(40)), n_frames=10)
    table[["true_x", "true_y", "y"]] = 0.0
    table["visible"] = True
    table["box_side"] = 100.0
    fails = (table["model"] == "b") & (table["video"].astype(str).astype(int) % 4 == 0)
    table["x"] = np.where(fails, 1000.0, 0.0)
    row = paired(table, "a").loc["b"]
    assert (row["difference"], row["videos"], row["joints counted"]) == (-0.25, 40, 40 * 130)
    spread = 1.96 * math.sqrt(0.25 * 0.75 / 40)
    np.testing.assert_allclose((row["low"], row["high"]), (-0.25 - spread, -0.25 + spread), atol=0.04)
    same = paired(table.assign(x=0.0), "a").loc["b"]
    assert (same["difference"], same["low"], same["high"]) == (0, 0, 0)
    apart = table[(table["model"] == "a") == (table["video"] == "00")]  # no joint in common
    nothing = paired(apart, "a").loc["b"]
    assert nothing["joints counted"] == nothing["videos"] == 0 and np.isnan(nothing["difference"])


# Moments


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=15)
def test_worst_moments_are_what_loops_find(seed: int, hidden: bool) -> None:
    table = make_table(seed, n_frames=9)
    plain = Plain(table, counted="labelled" if hidden else None)
    runs: list[list[Row]] = []
    for r in plain.rows:
        if r["counted"] and not r["hit"] and not ((p := plain.past(r)) and not p[0]["hit"]):
            run = [r]
            for later in plain.future(r):
                if later["hit"]:
                    break
                run.append(later)
            runs.append(run)

    def badness(r: Row) -> float:
        return math.inf if math.isnan(r["error_px"]) else r["error_px"] / r["length"]

    found = worst_moments(table, 10**6, include_hidden=hidden)
    expected = sorted(
        (-max(map(badness, run)), r["model"], r["data"], r["video"], r["joint"], r["frame"], len(run), plain.kind(r))
        for run in runs
        for r in [max(run, key=badness)]
    )
    seen = sorted(
        (-np.inf if math.isnan(e.error) else -e.error, e.model, e.data, e.video, e.joint, e.frame, e.n_frames, e.kind)
        for e in found.itertuples()
    )
    assert len(seen) == len(expected)
    for a, b in zip(seen, expected, strict=True):
        assert a[0] == pytest.approx(b[0])
        assert a[1:] == b[1:]
    order = found["error"].fillna(np.inf)
    assert (order.diff().dropna() <= 0).all() or not np.isfinite(order).all()
    finite = found["error"].dropna()
    assert finite.is_monotonic_decreasing and found["error"].isna().tolist() == sorted(
        found["error"].isna(), reverse=True
    )
    assert list(found.columns) == [
        "model", "data", "video", "action", "frame", "time_s", "joint", "error", "error_px", "kind", "visible", "score",
        "labels", "n_frames",
    ]  # fmt: skip


def test_worst_moments_can_be_spread_over_videos() -> None:
    table = make_table(5, n_frames=12)
    everything = worst_moments(table, 10**6)
    assert len(worst_moments(table, 7)) == 7
    pd.testing.assert_frame_equal(worst_moments(table, 7), everything.head(7))
    spread = worst_moments(table, 10**6, per_video=2)
    assert (spread.groupby(["model", "data", "video"], observed=True).size() == 2).all()
    assert len(spread) == 2 * 3 * 2
    assert everything["visible"][everything["data"] == "rendered"].all()
    assert not worst_moments(table, 10**6, include_hidden=True)["visible"].all()
    for wrong in ({"n": -1}, {"per_video": 0}):
        with pytest.raises(ConfigError, match="at least"):
            worst_moments(table, **wrong)  # type: ignore[arg-type]


# What cannot be summarised


EVERYTHING: list[Callable[[pd.DataFrame], pd.DataFrame]] = [
    add_errors, summarise, per_joint, lambda t: per_joint(t, columns="groups"), pck_curves, worst_moments,
]  # fmt: skip


def test_an_empty_table_has_empty_summaries() -> None:
    for empty in (make_table().iloc[:0], pd.DataFrame(columns=list(COLUMNS))):
        for call in EVERYTHING:
            assert len(call(empty)) == 0
        assert list(summarise(empty).columns) == list(summarise(make_table()).columns)
        assert list(pck_curves(empty).columns) == ["model", "threshold", "PCK"]
        with pytest.raises(ConfigError, match="no model 'dkd'"):
            paired(empty, "dkd")


def test_a_table_without_labels_only_has_motion() -> None:
    table = make_table().assign(true_x=np.nan, true_y=np.nan, visible=False, kernel_drift=np.nan)
    row = summarise(table).loc["dkd"]
    assert row[["PCK@0.2", "AUC", "OKS", "velocity error %", "recovered", "kernel drift"]].isna().all()
    assert row[["jitter %", "jerk %"]].notna().all()
    assert row[["flips", "lost", "joints counted", "joints skipped", "frames"]].tolist() == [0, 0, 0, 0, 18]
    assert per_joint(table).isna().all(axis=None)
    assert pck_curves(table)["PCK"].isna().all()
    assert np.isnan(paired(table, "dkd").loc["dkd+erased", "difference"])
    assert len(worst_moments(table)) == 0


def test_errors_in_a_table_are_reported() -> None:
    table = make_table()
    for call in EVERYTHING:
        with pytest.raises(ShapeError, match="no box_side; did you mean 'box_area'"):
            call(table.drop(columns="box_side"))
        with pytest.raises(ShapeError, match="has duplicates"):
            call(pd.concat([table, table.head(1)]))
    with pytest.raises(ShapeError, match="no torso"):
        summarise(table.drop(columns="torso"), normaliser="torso")
    with pytest.raises(ShapeError, match="its joints"):
        summarise(table.astype(dict.fromkeys(TEXT, str)).assign(skeleton="coco"))
    with pytest.raises(ShapeError, match="no models"):
        summarise(table, "models")
    for wrong in ({"normaliser": "head"}, {"counted": "all"}, {"by": ()}, {"alphas": ()}):
        with pytest.raises(ConfigError):
            summarise(table, **wrong)
    with pytest.raises(ConfigError, match="joints are the columns"):
        per_joint(table, ("model", "joint"))
    with pytest.raises(ConfigError, match="columns 'limbs'"):
        per_joint(table, columns="limbs")


# The real labels


@pytest.mark.shared
def test_the_table_of_real_penn_labels_gives_the_protocols_counts(penn_test_set: dict[str, PennLabels]) -> None:  # noqa: F811
    """The group-by of the tidy table and the protocol's own counting are two ways to one number."""
    protocol, rng = get_protocol("penn_action"), np.random.default_rng(0)
    parts, hits, n = [], np.zeros(13), np.zeros(13)
    for name in [*list(penn_test_set)[::25], "1154", "1865"]:
        labels = penn_test_set[name]
        person = person_of(name, labels)
        side = normaliser(person)
        predicted = labels.joints + side[:, None, None] * rng.normal(0, 0.1, labels.joints.shape)
        counts = protocol.joint_counts(person, predicted)
        hits, n = hits + counts.hits, n + counts.counted
        t = len(predicted)
        part = make_table(models=("dkd",), videos=(("penn_action", name),), n_frames=t)
        part[["x", "y"]], part[["true_x", "true_y"]] = predicted.reshape(-1, 2), labels.joints.reshape(-1, 2)
        part["visible"], part["box_side"] = labels.visible.ravel(), np.repeat(side, 13)
        parts.append(part.astype(dict.fromkeys(TEXT, str)))
    table = pd.concat(parts, ignore_index=True)
    row = per_joint(table, columns="groups").loc["dkd"]
    expected = paper_columns(hits, n, "penn_action")
    assert list(row.index) == list(expected)
    np.testing.assert_allclose(row, list(expected.values()), rtol=1e-12)
    assert summarise(table).loc["dkd", "PCK@0.2"] == pytest.approx(hits.sum() / n.sum(), rel=1e-12)
    assert 0.8 < hits.sum() / n.sum() < 0.95
