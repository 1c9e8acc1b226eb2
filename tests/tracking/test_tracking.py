"""The shipped models track people as well as their model cards say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dkd import Clip, Trace, load_model
from dkd.analysis.reliance import one_step_reliance
from dkd.io.paths import DEFAULT_MODEL
from dkd.measures.metrics import pck, pck_mean
from dkd.pose.skeleton import convert_joints
from dkd.video.samples import get_sample

PURE = "dkd-mobilenetv2"  # in the paper's form
SHIPPED = DEFAULT_MODEL, PURE
CAMERAS = ("pose2sim_cam01", "pose2sim_cam02", "pose2sim_cam03", "pose2sim_cam04")


def test_pck_against_a_closed_form() -> None:
    truth = np.zeros((4, 2, 2))
    truth[3, 1] = np.nan  # not labelled: not counted
    predicted = truth.copy()
    predicted[:, 0, 0] = [0, 9.9, 10, 10.1]  # joint 0: one of four beyond 0.1 × 100
    predicted[0, 1] = np.nan  # a missing prediction is a miss
    np.testing.assert_allclose(pck(predicted, truth, np.full(4, 100.0), 0.1), [3 / 4, 2 / 3])
    assert pck_mean(predicted, truth, 100.0, 0.1) == pytest.approx(5 / 7)
    assert np.isnan(pck_mean(predicted, np.full((4, 2, 2), np.nan), 100.0, 0.1))


@pytest.fixture(scope="module", params=SHIPPED)
def rendered(request: pytest.FixtureRequest) -> Trace:
    sample = get_sample("rendered_walk")
    return Trace(load_model(request.param), Clip(sample.path), sample.box, ground_truth=sample.joints(), progress=False)


def test_the_shipped_model_follows_the_shipped_clip_to_its_end(rendered: Trace) -> None:
    truth = rendered.ground_truth
    assert truth is not None
    side = (truth.max(1) - truth.min(1)).max(1)
    assert pck_mean(rendered.joints, truth, side, 0.2) > 0.8
    assert pck_mean(rendered.joints[-20:], truth[-20:], side[-20:], 0.2) > 0.7
    for t in (0, 60, 119):  # the crop still holds the person
        assert (np.abs(rendered.crops[t].to_grid(truth[t], 2) - 0.5) < 1.1).mean() > 0.9


@pytest.mark.parametrize("rendered", [PURE], indirect=True)
def test_contributions_of_the_trained_model_sum_to_its_map(rendered: Trace) -> None:
    for t, joint in ((1, "head"), (77, "left_ankle")):
        j = rendered.skeleton.index(joint)
        total = rendered.contributions(t, joint).sum(0, dtype=np.float64) + rendered.bias[j]
        np.testing.assert_allclose(total, rendered.heatmaps[t, j], atol=1e-3)


def test_the_past_is_used(rendered: Trace) -> None:
    """The reliance is smaller than the paper suggests, as the card says, but not zero."""
    table = one_step_reliance(rendered, every=30)
    assert (table.map_change > 0.01).all()
    assert (table.kernel_change > 0.01).all()


@pytest.mark.shared
@pytest.mark.parametrize("name", SHIPPED)
def test_it_follows_the_person_on_all_four_unseen_cameras(shared_data: Path, name: str) -> None:
    model, found = load_model(name), []
    for camera in CAMERAS:
        with np.load(shared_data / f"labels/{camera}.npz") as archive:
            labels = np.where(archive["agree"][..., None], archive["consensus17"], np.nan)
            truth, side = convert_joints(labels, "coco", "penn_action"), archive["bbox_size"]
        with Clip(shared_data / f"videos/pose2sim/{camera.removeprefix('pose2sim_')}.mp4") as clip:
            trace = Trace(model, clip, get_sample_box(camera), progress=False)
        assert len(trace) == 100
        found.append(pck_mean(trace.joints, truth, side, 0.2))
    assert np.mean(found) >= 0.96, found
    assert min(found) >= 0.94, found


def get_sample_box(camera: str) -> tuple[float, float, float, float]:
    """Return the box of a sample, even if its clip has not been downloaded."""
    from dkd.video.samples import SAMPLES

    return SAMPLES[camera].box
