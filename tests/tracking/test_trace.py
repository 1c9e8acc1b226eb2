"""A trace records the model's results, and recomputed results are the same."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from dkd import Clip, Trace, load_model
from dkd.errors import (
    BoxError,
    ClosedError,
    ConfigError,
    FrameIndexError,
    ShapeError,
    StorageError,
    VideoNotFoundError,
)
from dkd.models import DKD
from dkd.pose.crops import BOX_MARGIN, box_to_crop
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import erase
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.squares import Square
from dkd.video.samples import get_sample
from tests.models.test_models import scene, varied_model

BOX = (60.0, 40.0, 200.0, 220.0)


@pytest.fixture(scope="module")
def model() -> DKD:
    return varied_model(1)


@pytest.fixture(scope="module")
def clip() -> Clip:
    frames = (scene(1, 6, seed=5)[0].permute(0, 2, 3, 1) * 255).byte().numpy()
    return Clip.from_array(frames, fps=10.0, name="blobs")


@pytest.fixture(scope="module")
def trace(model: DKD, clip: Clip) -> Trace:
    return Trace(model, clip, box=BOX, progress=False)


def test_shapes_and_types(trace: Trace) -> None:
    assert len(trace) == 6
    assert trace.complete
    assert trace.joints.shape == (6, 13, 2)
    assert trace.scores.shape == (6, 13)
    assert trace.heatmaps.shape == (6, 13, 32, 32)
    assert trace.kernels.shape == (6, 128, 7, 7)
    assert all(a.dtype == np.float32 for a in (trace.joints, trace.scores, trace.heatmaps, trace.kernels))
    np.testing.assert_allclose(trace.times, np.arange(6) / 10)
    assert trace.features(3).shape == trace.projected(3).shape == (128, 32, 32)
    assert trace.effective_kernel(0, "left_wrist").shape == (128, 7, 7)
    assert trace.skeleton.joints[0] == "head"


def test_the_trace_is_the_models_own_stream(trace: Trace, model: DKD, clip: Clip) -> None:
    """Streaming over the trace's crops gives bit-identical maps, kernels and features."""
    state = None
    with torch.inference_mode():
        for t, crop in enumerate(trace.crops):
            image = torch.from_numpy(crop.extract(clip.frame(t), 256)).permute(2, 0, 1)[None] / 255
            output, state = model.start(image) if state is None else model.step(image, state)
            np.testing.assert_array_equal(trace.heatmaps[t], output.heatmaps[0].numpy())
            np.testing.assert_array_equal(trace.kernels[t], output.kernels[0].numpy())
            np.testing.assert_array_equal(trace.features(t), output.features[0].numpy())


def test_contributions_and_bias_sum_to_the_heatmap(trace: Trace) -> None:
    for t in (1, 4):
        for j, name in enumerate(trace.skeleton.joints):
            parts = trace.contributions(t, name)
            assert parts.shape == (128, 32, 32)
            np.testing.assert_allclose(parts.sum(0, dtype=np.float64) + trace.bias[j], trace.heatmaps[t, j], atol=1e-3)


def test_a_contribution_is_patch_times_effective_kernel(trace: Trace) -> None:
    """The arithmetic at one cell, as the kernel view shows it."""
    t, joint, (y, x) = 2, "right_knee", (10, 20)
    patch = trace.projected(t)[:, y - 3 : y + 4, x - 3 : x + 4]
    by_hand = (patch * trace.effective_kernel(t - 1, joint)).sum((1, 2))
    np.testing.assert_allclose(by_hand, trace.contributions(t, joint)[:, y, x], rtol=1e-3, atol=1e-5)


def test_joints_are_the_maps_peaks_in_the_frame(trace: Trace) -> None:
    for t, crop in enumerate(trace.crops):
        row, column = np.divmod(trace.heatmaps[t].reshape(13, -1).argmax(1), 32)
        centres = crop.to_frame(np.stack([column, row], 1), 32)
        assert np.abs(trace.joints[t] - centres).max() <= crop.side / 32 / 2 + 1e-3
        np.testing.assert_array_equal(trace.scores[t], trace.heatmaps[t].max((1, 2)))


def test_the_first_crop_is_the_box(trace: Trace) -> None:
    assert trace.crops[0] == box_to_crop(BOX, BOX_MARGIN)


@pytest.mark.parametrize(("square", "module"), [("joints", "squares"), ("person", "body")])
def test_a_crop_stays_while_no_joint_is_confident(
    square: Square, module: str, model: DKD, clip: Clip, monkeypatch
) -> None:
    monkeypatch.setattr(f"dkd.tracking.{module}.CONFIDENT", np.inf)
    trace = Trace(model, clip, BOX, Conditions(square=square), progress=False)
    assert set(trace.crops) == {box_to_crop(BOX, BOX_MARGIN)}


def test_without_a_box_the_person_is_searched_in_the_whole_frame(model: DKD, clip: Clip) -> None:
    trace = Trace(model, clip, stop=1, progress=False)
    assert 0 < trace.crops[0].side <= 3 * 256


def test_stopping_and_going_on_gives_the_same(model: DKD, clip: Clip, trace: Trace, caplog) -> None:
    done = []

    def cancel() -> bool:
        done.append(1)
        return len(done) > 3

    with caplog.at_level(logging.WARNING):
        partial = Trace(model, clip, box=BOX, progress=False, cancel=cancel)
    assert len(partial) == 3
    assert not partial.complete
    assert len(partial.joints) == len(partial.heatmaps) == len(partial.times) == len(partial.kernel_drift()) == 3
    assert "3 of 6" in caplog.text
    assert "stopped" in repr(partial)
    partial.run(progress=False)
    assert partial.complete
    np.testing.assert_array_equal(partial.heatmaps, trace.heatmaps)
    np.testing.assert_array_equal(partial.kernels, trace.kernels)


def test_an_interrupted_cell_keeps_its_frames(model: DKD, clip: Clip) -> None:
    calls = []

    def interrupt() -> bool:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return False

    assert len(Trace(model, clip, box=BOX, progress=False, cancel=interrupt)) == 2


def test_a_long_trace_lives_in_a_file_and_is_the_same(
    model: DKD, clip: Clip, trace: Trace, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("dkd.tracking.storage.IN_MEMORY", 0)
    stored = Trace(model, clip, box=BOX, progress=False)
    assert isinstance(stored.heatmaps, np.memmap)
    assert isinstance(stored.kernels, np.memmap) and stored.kernels.nbytes == 6 * 4 * 128 * 49
    if os.name == "posix":  # the files have no name: they vanish with the process, whatever ends it
        assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(stored.heatmaps, trace.heatmaps)
    np.testing.assert_array_equal(stored.kernel_drift(), trace.kernel_drift())
    stored.close()
    del stored
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_clear_error(model: DKD, clip: Clip, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def no_room(handle: int, mode: str):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dkd.tracking.storage.IN_MEMORY", 0)
    monkeypatch.setattr("os.fdopen", no_room)
    with pytest.raises(StorageError, match="set TMPDIR"):
        Trace(model, clip, box=BOX, progress=False)
    assert not list(tmp_path.iterdir())


def test_feedback_changes_later_frames_only(model: DKD, clip: Clip, trace: Trace) -> None:
    erased = Trace(model, clip, BOX, Conditions(feedback=lambda: erase), progress=False)
    np.testing.assert_array_equal(erased.heatmaps[0], trace.heatmaps[0])
    assert not np.array_equal(erased.heatmaps[1], trace.heatmaps[1])


def test_measures_over_time_against_closed_forms(model: DKD, clip: Clip) -> None:
    trace = Trace(model, clip, box=BOX, progress=False)
    trace._joints[:] = np.arange(6, dtype=np.float32)[:, None, None] * (3.0, 4.0)  # 5 px a frame at 10 frames/s
    np.testing.assert_allclose(trace.speed()[1:], 50.0, rtol=1e-5)
    assert (trace.speed()[0] == 0).all()
    base = trace.kernels[0].copy()
    for t, factor in enumerate((1.0, 2.0, -1.0, 1.0, 1.0, 1.0)):
        trace._kernels[t] = factor * base
    np.testing.assert_allclose(trace.kernel_drift(), [0, 0, 2, 2, 0, 0], atol=1e-5)


def test_the_table_is_tidy(trace: Trace) -> None:
    table = trace.to_frame()
    assert list(table.columns) == ["frame", "time_s", "joint", "x", "y", "score"]
    assert len(table) == 6 * 13
    row = table[(table.frame == 4) & (table.joint == "left_hip")].iloc[0]
    j = trace.skeleton.index("left_hip")
    assert (row.x, row.y, row.score) == (*trace.joints[4, j], trace.scores[4, j])
    assert row.time_s == pytest.approx(0.4)


def test_a_model_and_a_clip_can_be_given_by_name(tmp_path: Path) -> None:
    path = get_sample("rendered_walk").path
    with Clip(path) as clip, Trace("dkd-mobilenetv2", str(path), progress=False, stop=2) as trace:
        np.testing.assert_array_equal(
            trace.joints, Trace(load_model("dkd-mobilenetv2"), clip, progress=False, stop=2).joints
        )
    with pytest.raises(ClosedError):
        trace.clip.frame(0)
    with pytest.raises(ConfigError, match="unknown"):
        Trace("dkd-mobilnet", path)
    with pytest.raises(ConfigError, match="expected model of .* to be a model or text or a path, got 3"):
        Trace(3, path)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="expected clip of .* to be a clip or text or a path, got array"):
        Trace("dkd-mobilenetv2", np.zeros((2, 4, 4, 3), np.uint8))  # type: ignore[arg-type]
    with pytest.raises(VideoNotFoundError):
        Trace("dkd-mobilenetv2", tmp_path / "none.mp4")


def test_a_clip_opened_for_a_trace_is_closed_with_the_last_trace_of_it(model: DKD) -> None:
    trace = Trace(model, get_sample("rendered_walk").path, BOX, progress=False, stop=3)
    changed, snapshot = trace.darken(2), trace.snapshot()
    trace.close()
    snapshot.close()
    assert changed.picture(0).shape == (480, 640, 3)
    changed.close()
    with pytest.raises(ClosedError):
        trace.clip.frame(0)
    with pytest.raises(BoxError):
        Trace(model, get_sample("rendered_walk").path, (5000, 0, 6000, 50))


def test_a_clip_given_as_an_object_stays_open(model: DKD, clip: Clip) -> None:
    with Trace(model, clip, BOX, progress=False, stop=1) as trace:
        assert len(trace) == 1
    assert clip.frame(0).shape


def test_bad_questions_are_named(model: DKD, clip: Clip, trace: Trace) -> None:
    with pytest.raises(FrameIndexError, match="come from the initializer"):
        trace.contributions(0, "head")
    with pytest.raises(FrameIndexError, match=r"outside the trace's frames 0\.\.5"):
        trace.features(6)
    with pytest.raises(BoxError, match="outside the frame"):
        Trace(model, clip, box=(300, 0, 400, 50))
    with pytest.raises(ShapeError, match=r"\(T, 13, 2\)"):
        Trace(model, clip, box=BOX, ground_truth=np.zeros((6, 15, 2)))
    with pytest.raises(ShapeError, match="for 6 frames, got 4"):
        Trace(model, clip, box=BOX, ground_truth=np.zeros((4, 13, 2)))
    with pytest.raises(ShapeError, match="at least one frame"):
        Trace(model, clip, box=BOX, stop=0)


def test_a_closed_trace_says_so(model: DKD, clip: Clip) -> None:
    trace = Trace(model, clip, box=BOX, progress=False)
    trace.close()
    for name in (
        "joints", "raw_joints", "scores", "confidence", "heatmaps", "kernels", "crops", "times", "complete",
        "extra_passes",
    ):  # fmt: skip
        with pytest.raises(ClosedError, match="closed"):
            getattr(trace, name)
    for ask in (
        trace.speed, trace.kernel_drift, trace.to_frame, trace.run, trace.snapshot, lambda: len(trace),
        lambda: trace.features(0), lambda: trace.picture(0), lambda: trace.restart(2),
        lambda: trace.retrace(Reinitialise()),
    ):  # fmt: skip
        with pytest.raises(ClosedError, match="closed"):
            ask()
    assert "closed" in repr(trace)
    trace.close()  # again does no harm
