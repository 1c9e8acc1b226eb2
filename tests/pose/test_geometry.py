"""Crops, heatmaps and skeletons: closed forms and round trips."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import BoxError, ConfigError, ShapeError
from dkd.pose.crops import PADDING_GREY, Crop, box_to_crop, check_box, joints_to_box
from dkd.pose.heatmaps import decode_peaks, gaussian_targets
from dkd.pose.skeleton import SKELETONS, convert_joints, get_skeleton, mirror_name

coordinate = st.floats(-500, 2000, allow_nan=False)


@given(coordinate, coordinate, st.floats(20, 1500), coordinate, coordinate, st.sampled_from([32, 256]))
def test_grid_and_frame_are_inverse(left: float, top: float, side: float, x: float, y: float, size: int) -> None:
    crop = Crop(left, top, side)
    there = crop.to_grid(np.array([[x, y]]), size)
    np.testing.assert_allclose(crop.to_frame(there, size), [[x, y]], atol=1e-6)


def test_the_pixel_centre_rule() -> None:
    crop = Crop(left=10, top=20, side=256)
    np.testing.assert_allclose(crop.to_grid(np.array([10.0, 20.0]), 256), [0, 0])
    # 8 network pixels a cell: the centre of cell 0 lies between network pixels 3 and 4
    np.testing.assert_allclose(crop.to_frame(np.array([0.0, 0.0]), 32), [13.5, 23.5])
    np.testing.assert_allclose(crop.to_frame(np.array([31.0, 31.0]), 32), [10 + 251.5, 20 + 251.5])


@pytest.mark.parametrize("side", [80.0, 256.0, 700.0, 1300.0])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (-150.3, 41.7), (333.2, -97.9)])
def test_the_extracted_pixels_lie_where_the_map_says(side: float, offset: tuple[float, float]) -> None:
    """A bright blob anywhere in the frame appears where `to_grid` says, at every scale."""
    centre = np.array([1100.0, 1000.0])
    crop = Crop(centre[0] - side / 2 + offset[0] * side / 1300, centre[1] - side / 2 + offset[1] * side / 1300, side)
    y, x = np.mgrid[:2000, :2200]
    sigma = side / 40
    frame = (255 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2))).astype(np.uint8)
    patch = crop.extract(np.dstack([frame] * 3), 256)[..., 0].astype(float)
    found = np.array([(patch * g).sum() / patch.sum() for g in np.mgrid[:256, :256][::-1]])
    np.testing.assert_allclose(found, crop.to_grid(centre, 256), atol=0.15)


def test_shrinking_does_not_alias() -> None:
    """Fine stripes, shrunk eightfold, must become grey, not coarse stripes."""
    frame = np.zeros((2048, 2048, 3), np.uint8)
    frame[:, ::3] = 255
    patch = Crop(0, 0, 2048).extract(frame, 256)
    aliased = cv2.warpAffine(frame, np.array([[0.125, 0, 0], [0, 0.125, 0]]), (256, 256))
    assert aliased.std() > 60, "the test image must alias without care"
    assert patch.std() < aliased.std() / 3


def test_outside_the_frame_is_grey() -> None:
    patch = Crop(-256, 0, 512).extract(np.full((512, 512, 3), 250, np.uint8), 256)
    assert (patch[:, :126] == PADDING_GREY).all()
    assert (patch[:, 130:] == 250).all()


def test_extract_rejects_other_arrays() -> None:
    with pytest.raises(ShapeError, match="uint8"):
        Crop(0, 0, 8).extract(np.zeros((8, 8, 3)), 8)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "four finite numbers"),
        ((0, 0, float("nan"), 5), "four finite numbers"),
        ("box", "four finite numbers"),
        ((50, 50, 40, 90), "not .x, y, w, h"),
        ((200, 0, 300, 50), "outside the frame of 100×80"),
        ((-60, -60, -1, -1), "outside the frame"),
        ((98, 0, 160, 80), "only 2.0×80.0 pixels"),
    ],
)
def test_bad_boxes_are_named(box, message: str) -> None:
    with pytest.raises(BoxError, match=message):
        check_box(box, 100, 80)


def test_a_box_is_clipped_and_its_crop_keeps_the_aspect() -> None:
    assert check_box((-10, 5, 50, 200), 100, 80) == (0, 5, 50, 80)
    crop = box_to_crop((10, 0, 30, 100), 1.5)
    assert (crop.side, crop.left + crop.side / 2, crop.top + crop.side / 2) == (150, 20, 50)


def test_box_around_joints() -> None:
    joints = np.array([[1, 2], [np.nan, np.nan], [5, -3]])
    assert joints_to_box(joints) == (1, -3, 5, 2)
    assert joints_to_box(joints[:2]) is None


@given(st.floats(2, 29), st.floats(2, 29), st.floats(0.7, 3))
def test_a_gaussians_peak_is_found_to_a_hundredth_of_a_cell(x: float, y: float, sigma: float) -> None:
    maps = gaussian_targets(torch.tensor([[x, y]]), 32, sigma)
    peak, score = decode_peaks(maps)
    np.testing.assert_allclose(peak[0].numpy(), [x, y], atol=0.01)
    nearest = np.hypot(x - round(x), y - round(y))
    assert float(score[0]) == pytest.approx(np.exp(-(nearest**2) / (2 * sigma**2)), abs=1e-4)


def test_missing_and_outside_joints_have_empty_maps() -> None:
    inf = float("inf")
    joints = torch.tensor([[float("nan"), 3.0], [-0.6, 3.0], [31.6, 3.0], [inf, inf], [0.0, 31.0]])
    maps = gaussian_targets(joints, 32, 1.5)
    assert torch.isfinite(maps).all()
    assert maps.amax((1, 2)).tolist() == [0, 0, 0, 0, 1]


def test_peaks_at_the_border_and_in_flat_or_negative_maps() -> None:
    maps = torch.zeros(3, 4, 6)
    maps[0, 0, 5] = 1.0
    maps[2] = -1.0
    maps[2, 2, 1] = -0.5
    peaks, scores = decode_peaks(maps)
    assert peaks.tolist() == [[5, 0], [0, 0], [1, 2]]
    assert scores.tolist() == [1.0, 0.0, -0.5]


def test_skeletons_have_the_published_orders() -> None:
    penn = get_skeleton("penn_action").joints
    assert penn[:5] == ("head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
    assert penn[-2:] == ("left_ankle", "right_ankle")
    assert len(penn) == 13
    jhmdb = get_skeleton("sub_jhmdb").joints
    assert jhmdb[:5] == ("neck", "belly", "head", "right_shoulder", "left_shoulder")
    assert jhmdb[-2:] == ("right_ankle", "left_ankle")
    assert len(jhmdb) == 15
    assert get_skeleton("coco").joints[5:9] == ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")


@pytest.mark.parametrize("name", sorted(SKELETONS))
def test_mirroring_twice_is_the_identity(name: str) -> None:
    skeleton = get_skeleton(name)
    flip = skeleton.flip_permutation
    assert [flip[flip[j]] for j in range(len(skeleton))] == list(range(len(skeleton)))
    for joint in skeleton.joints:
        assert {skeleton.side(joint), skeleton.side(mirror_name(joint))} in ({"centre"}, {"left", "right"})
    assert all(a in skeleton.joints and b in skeleton.joints for a, b in skeleton.limbs)


def test_unknown_joints_get_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'left_wrist'"):
        get_skeleton("penn_action").index("left_wirst")
    with pytest.raises(ConfigError, match="outside 0..12"):
        get_skeleton("penn_action").index(13)


def test_joints_are_converted_by_name_and_missing_ones_masked() -> None:
    rng = np.random.default_rng(0)
    lsp = rng.uniform(0, 100, (4, 14, 2)).astype(np.float32)
    penn = convert_joints(lsp, "lsp", "penn_action")
    np.testing.assert_allclose(penn[:, 0], (lsp[:, 12] + lsp[:, 13]) / 2)  # head: between neck and head top
    np.testing.assert_array_equal(penn[:, 5], lsp[:, 11])  # left wrist
    np.testing.assert_array_equal(penn[:, 12], lsp[:, 0])  # right ankle
    jhmdb = convert_joints(lsp, "lsp", "sub_jhmdb")
    np.testing.assert_allclose(jhmdb[:, 1], (lsp[:, 12] + (lsp[:, 2] + lsp[:, 3]) / 2) / 2, rtol=1e-5)  # belly
    assert np.isnan(convert_joints(penn, "penn_action", "sub_jhmdb")[:, 1]).all()
    with pytest.raises(ShapeError, match=r"\(..., 14, D\)"):
        convert_joints(lsp[:, :13], "lsp", "penn_action")
