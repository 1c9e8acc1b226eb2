"""Readers of the official layouts: exact positions, sides, hidden joints, splits, and missing files."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dkd.datasets.layout import fill_boxes, read_mat
from dkd.datasets.lsp import load_lsp, load_lsp_extended
from dkd.datasets.mpii import LABELS, load_mpii
from dkd.datasets.penn_action import ACTIONS, PennLabels, load_penn_action, read_labels
from dkd.datasets.people import FrameFiles, PersonSequence
from dkd.datasets.sources import SOURCES, load_people
from dkd.datasets.sub_jhmdb import load_sub_jhmdb, read_split
from dkd.errors import ConfigError, DatasetError, DKDError
from dkd.pose.skeleton import convert_joints, get_skeleton
from tests.support.official_folders import (
    mpii_point,
    struct_array,
    write_images,
    write_jhmdb,
    write_list,
    write_mat,
    write_mpii,
    write_penn,
)

PENN, JHMDB, LSP, MPII = (get_skeleton(name).joints for name in ("penn_action", "sub_jhmdb", "lsp", "mpii"))
FRISBEE = "catch/Frisbee_catch_f_cm_np1_ri_med_"


# Penn Action


def test_penn_action_is_read_as_it_is_meant(tmp_path: Path) -> None:
    write_penn(tmp_path, 7)
    (person,) = load_penn_action(tmp_path)
    assert (person.name, person.action, person.fps, person.skeleton) == ("0007", "squat", None, "penn_action")
    assert isinstance(person.images, FrameFiles)
    assert [file.name for file in person.images.files] == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert person.images[2].shape == (48, 64, 3)
    assert person.joints.dtype == np.float32
    # MATLAB's pixel 1 is pixel 0; the file's column 1, 10 + 1, is the right shoulder
    expected = {"head": (9, 19), "right_shoulder": (10, 21), "left_shoulder": (11, 23), "left_ankle": (21, 43)}
    for joint, position in expected.items():
        np.testing.assert_array_equal(person.joints[0, PENN.index(joint)], position, joint)
    np.testing.assert_array_equal(person.joints[2] - person.joints[0], np.tile([2, 0], (13, 1)))
    assert person.boxes is not None and person.visible is not None
    np.testing.assert_array_equal(person.boxes, np.tile([4, 5, 59, 46], (3, 1)))
    assert person.visible.all()


def test_left_in_a_frontal_view_of_penn_action_is_right_in_the_image(tmp_path: Path) -> None:
    x = np.tile(np.r_[30.0, [20.0, 40.0] * 6], (2, 1))  # as in the real frontal videos: the file's first joint is left
    labels = read_labels(write_penn(tmp_path, x=x, n_frames=2))
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        left, right = (labels.joints[:, PENN.index(f"{side}_{part}"), 0] for side in ("left", "right"))
        assert (left > right).all(), part


def test_a_hidden_joint_stays_and_one_never_placed_is_missing(tmp_path: Path) -> None:
    x, y = np.full((2, 13), 30.0), np.full((2, 13), 25.0)
    visibility = np.ones((2, 13))
    visibility[0, [3, 5, 6, 8]] = 0
    x[0, 5] = y[0, 5] = 0.75  # the corner pixel, scaled
    x[0, 6] = y[0, 6] = 0.0
    x[0, 8] = y[0, 8] = 30.0  # on the diagonal, but somewhere
    x[1, 5] = y[1, 5] = 1.5  # visible: then it is there
    labels = read_labels(write_penn(tmp_path, x=x, y=y, visibility=visibility, n_frames=2))
    flip = list(get_skeleton("penn_action").flip_permutation)
    missing = np.isnan(labels.joints).any(-1)[:, flip]  # in the file's order
    assert np.flatnonzero(missing[0]).tolist() == [5, 6]
    assert not missing[1].any()
    np.testing.assert_array_equal(labels.visible[:, flip], visibility > 0)
    np.testing.assert_array_equal(labels.joints[0, flip[3]], [29, 24])


def test_coordinates_of_any_stored_type_are_read(tmp_path: Path) -> None:
    x = np.full((2, 13), 20, np.uint8)
    x[0, 0] = 0  # 0 − 1 in uint8 would be 255
    file = write_penn(tmp_path, x=x, y=x.astype(np.uint16), bbox=np.array([[0, 0, 30, 40]] * 2, np.uint8), n_frames=2)
    labels = read_labels(file)
    np.testing.assert_array_equal(labels.joints[0, 0], [-1, -1])
    np.testing.assert_array_equal(labels.boxes[0], [-1, -1, 29, 39])


@pytest.mark.parametrize("number", [1154, 1865])
def test_a_box_too_few_is_the_one_before_again(number: int, tmp_path: Path) -> None:
    boxes = np.array([[1.0, 2, 30, 40], [3, 4, 50, 60]])
    labels = read_labels(write_penn(tmp_path, number, n_frames=3, bbox=boxes))
    np.testing.assert_array_equal(labels.boxes, np.array([boxes[0], boxes[1], boxes[1]]) - 1)
    with pytest.raises(DatasetError, match=r"bbox of shape \(5, 4\), or one box less, .* got \(2, 4\)"):
        read_labels(write_penn(tmp_path, n_frames=5, bbox=boxes))


def test_the_images_are_believed_and_not_the_dimensions(tmp_path: Path) -> None:
    write_penn(tmp_path, dimensions=np.array([[20, 30, 99]]), nframes=99)
    (person,) = load_penn_action(tmp_path)
    assert len(person) == 3
    assert person.images[0].shape == (48, 64, 3)
    assert read_labels(tmp_path / "labels/0001.mat").size == (20, 30)


def test_splits_and_actions_of_penn_action(tmp_path: Path) -> None:
    for number, (train, action) in enumerate([(1, "squat"), (-1, "bowl"), (1, "bowl"), (-1, "squat"), (1, "situp")], 1):
        write_penn(tmp_path, number, n_frames=1, train=train, action=action)

    def names(split: str = "train", actions: tuple[str, ...] | None = None) -> list[str]:
        return [person.name for person in load_penn_action(tmp_path, split, actions=actions)]

    assert names() == names("train") == ["0001", "0003", "0005"]
    assert names("test") == ["0002", "0004"]
    assert names("train", actions=("bowl", "situp")) == ["0003", "0005"]
    with pytest.raises(DatasetError, match="none of the 5 label files"):
        names("test", actions=("situp",))
    with pytest.raises(ConfigError, match="no action 'squats'; did you mean 'squat'"):
        names(actions=("squats",))
    with pytest.raises(ConfigError, match="'train' or 'test', got 'tets'; did you mean 'test'"):
        names("tets")


def test_missing_images_are_counted_and_further_ones_left_out(tmp_path: Path) -> None:
    write_penn(tmp_path, 1, n_frames=3, n_images=5)
    assert len(load_penn_action(tmp_path)[0]) == 3
    write_penn(tmp_path, 2, n_frames=4, n_images=3)
    with pytest.raises(DatasetError, match=r"4 labelled images in .*0002, found 3 of 4; .* 000004\.jpg"):
        load_penn_action(tmp_path)
    shutil.rmtree(tmp_path / "frames/0002")
    with pytest.raises(DatasetError, match="found 0 of 4"):
        load_penn_action(tmp_path)
    assert read_labels(tmp_path / "labels/0002.mat").joints.shape == (4, 13, 2), "labels are read without images"


def test_images_are_not_read_before_they_are_asked_for(tmp_path: Path) -> None:
    write_penn(tmp_path)
    (tmp_path / "frames/0001/000002.jpg").write_bytes(b"not an image")
    (person,) = load_penn_action(tmp_path)
    assert person.images[0].shape == (48, 64, 3)
    with pytest.raises(DatasetError, match=r"000002\.jpg.*damaged"):
        person.images[1]


def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"\(T, 13\).*got \(3, 13\), \(3, 12\), \(3, 13\)"):
        read_labels(write_penn(tmp_path, y=np.ones((3, 12))))
    with pytest.raises(DatasetError, match="found one empty"):
        read_labels(write_penn(tmp_path, action=np.empty((0, 0))))


# Files and boxes


def test_no_damage_goes_unnoticed_or_untyped(tmp_path: Path) -> None:
    """Truncated or overwritten anywhere: a compressed file has checksums."""
    file = write_penn(tmp_path, x=np.random.default_rng(0).uniform(1, 60, (3, 13)))
    content, names = file.read_bytes(), ("x", "y", "bbox", "nframes")
    whole = read_mat(file, *names)
    for length in range(0, len(content), 11):
        file.write_bytes(content[:length])
        with pytest.raises(DatasetError):
            read_mat(file, *names)
    noticed = 0
    for position in range(136, len(content), 7):
        file.write_bytes(content[:position] + bytes([content[position] ^ 0x5A]) + content[position + 1 :])
        try:
            damaged = read_mat(file, *names)
        except DatasetError:
            noticed += 1
        else:  # what was hit is padding, or an array that was not asked for
            assert all(np.array_equal(whole[name], damaged[name]) for name in names)
    assert noticed > 20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>404: not found</html>" * 40, "download it again"),
        (b"\x00" * 900, "download it again"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x00" * 600, "version 7.3"),
    ],
)
def test_other_kinds_of_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "0001.mat").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"0001\.mat.*{message}"):
        read_labels(tmp_path / "0001.mat")
    with pytest.raises(DatasetError, match=r"0002\.mat, found none"):
        read_labels(tmp_path / "0002.mat")
    with pytest.raises(DatasetError, match="found no y"):
        read_mat(write_mat(tmp_path / "0003.mat", x=1), "x", "y")


def test_a_box_of_no_size_is_filled_from_the_joints_else_from_the_nearest_frame() -> None:
    joints = np.full((6, 13, 2), np.nan, np.float32)
    joints[1, [2, 5]] = [[3, 9], [8, 4]]
    boxes = np.array([[0, 0, 5, 5], [4, 4, 4, 4], [7, 7, 7, 9], [np.nan] * 4, [1, 1, -1, -1], [1, 2, 3, 4]])
    filled = fill_boxes(boxes, joints)
    np.testing.assert_array_equal(filled, [boxes[0], [3, 4, 8, 9], [3, 4, 8, 9], [3, 4, 8, 9], boxes[5], boxes[5]])
    assert np.isnan(fill_boxes(boxes[2:4], joints[2:4])).all()


# Sub-JHMDB


def test_sub_jhmdb_is_read_as_it_is_meant(tmp_path: Path) -> None:
    positions = write_jhmdb(tmp_path)
    (person,) = load_sub_jhmdb(tmp_path)
    assert (person.name, person.action, person.fps, person.skeleton) == ("catch/a", "catch", None, "sub_jhmdb")
    assert person.joints.shape == (2, 15, 2)
    assert person.visible is None, "all joints count"
    for j, joint in enumerate(("neck", "belly", "head", "right_shoulder", "left_shoulder", "right_hip", "left_hip")):
        np.testing.assert_allclose(person.joints[1, JHMDB.index(joint)], positions[:, j, 1] - 1, rtol=1e-6)
    np.testing.assert_array_equal(person.boxes, np.tile([7, 10, 19, 30], (2, 1)))  # a mask's index is a pixel's
    assert person.images[1].shape == (48, 64, 3)


def test_an_empty_mask_gives_the_joints_box(tmp_path: Path) -> None:
    mask = np.zeros((48, 64, 2), np.uint8)
    mask[3:6, 4:9, 1] = 1
    positions = write_jhmdb(tmp_path, mask=mask)
    (person,) = load_sub_jhmdb(tmp_path)
    assert person.boxes is not None
    low, high = positions[..., 0].min(1) - 1, positions[..., 0].max(1) - 1
    np.testing.assert_allclose(person.boxes[0], [*low, *high], rtol=1e-6)
    np.testing.assert_array_equal(person.boxes[1], [4, 3, 8, 5])


def test_a_video_of_one_frame_lacks_an_axis(tmp_path: Path) -> None:
    positions = write_jhmdb(tmp_path, n_frames=1)
    write_mat(tmp_path / "joint_positions/catch/a/joint_positions.mat", pos_img=positions[..., 0])
    write_mat(tmp_path / "puppet_mask/catch/a/puppet_mask.mat", part_mask=np.eye(48, 64))
    (person,) = load_sub_jhmdb(tmp_path)
    np.testing.assert_allclose(person.joints[0], positions[..., 0].T - 1, rtol=1e-6)
    np.testing.assert_array_equal(person.boxes, [[0, 0, 47, 47]])


@pytest.mark.parametrize("listed", ["sub_splits/{}_test_split_", "splits/{}_test_split"])
def test_each_fold_has_its_own_lists(listed: str, tmp_path: Path) -> None:
    for name, splits in {"catch/a": "122", "catch/b (1)": "212", "climb_stairs/c": "221"}.items():
        for fold, split in enumerate(splits, 1):
            write_jhmdb(tmp_path, split, name, listed=f"{listed}{fold}.txt")

    def names(split: str, fold: int) -> list[str]:
        return [person.name for person in load_sub_jhmdb(tmp_path, split, fold)]

    assert [names("train", fold) for fold in (1, 2, 3)] == [["catch/a"], ["catch/b (1)"], ["climb_stairs/c"]]
    assert names("test", 1) == ["catch/b (1)", "climb_stairs/c"]
    assert names("test", 3) == ["catch/a", "catch/b (1)"]
    with pytest.raises(ConfigError, match="fold 1, 2 or 3, got 4"):
        names("test", 4)
    folder = tmp_path / listed.split("/")[0]
    with pytest.raises(DatasetError, match="no lists of fold 4"):
        read_split(folder, 4)


def test_a_video_in_neither_part_or_a_strange_line(tmp_path: Path) -> None:
    write_jhmdb(tmp_path)
    write_list(tmp_path, "sub_splits/{}_test_split_1.txt", "catch/unused", "0")
    assert set(read_split(tmp_path / "sub_splits", 1)) == {("catch", "a")}
    write_list(tmp_path, "sub_splits/{}_test_split_1.txt", "catch/strange", "3")
    with pytest.raises(DatasetError, match=r"catch_test_split_1\.txt line 3, got 'strange\.avi 3'"):
        load_sub_jhmdb(tmp_path)


def test_sub_jhmdbs_own_lists_name_what_must_be_there(tmp_path: Path) -> None:
    write_jhmdb(tmp_path)
    write_list(tmp_path, "sub_splits/{}_test_split_1.txt", "run/gone", "2")
    with pytest.raises(DatasetError, match=r"name 2 videos, of which 1 have images and joints (.|\n)*run/gone"):
        load_sub_jhmdb(tmp_path)


def test_jhmdbs_lists_are_cut_down_to_sub_jhmdb_or_refused(tmp_path: Path) -> None:
    lists = "splits/{}_test_split1.txt"
    for i in range(320):
        write_list(tmp_path, lists, f"run/absent{i}", "1")
    write_jhmdb(tmp_path, name="run/there", listed=lists)
    write_jhmdb(tmp_path, name="brush_hair/upper_body_only", listed=lists)
    assert [person.name for person in load_sub_jhmdb(tmp_path)] == ["run/there"]
    for i in range(320):  # now all of J-HMDB's
        (tmp_path / f"Rename_Images/run/absent{i}").mkdir()
        file = tmp_path / f"joint_positions/run/absent{i}/joint_positions.mat"
        file.parent.mkdir()
        file.touch()
    with pytest.raises(DatasetError, match="those of J-HMDB, and .* has 321 videos"):
        load_sub_jhmdb(tmp_path)
    shutil.rmtree(tmp_path / "Rename_Images/run")
    with pytest.raises(DatasetError, match="none of the listed videos has images and joints"):
        load_sub_jhmdb(tmp_path)


def test_joints_and_masks_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    write_jhmdb(tmp_path)
    write_mat(tmp_path / "puppet_mask/catch/a/puppet_mask.mat", part_mask=np.ones((48, 64, 3)))
    with pytest.raises(DatasetError, match=r"part_mask of shape \(H, W, 2\) .* got \(48, 64, 3\)"):
        load_sub_jhmdb(tmp_path)
    write_mat(tmp_path / "joint_positions/catch/a/joint_positions.mat", pos_img=np.ones((2, 13, 3)))
    with pytest.raises(DatasetError, match=r"pos_img of shape \(2, 15, T\) .* got \(2, 13, 3\)"):
        load_sub_jhmdb(tmp_path)
    write_jhmdb(tmp_path, name="run/b")
    (tmp_path / "Rename_Images/catch/a/00002.png").unlink()
    write_mat(tmp_path / "joint_positions/catch/a/joint_positions.mat", pos_img=np.ones((2, 15, 3)))
    with pytest.raises(DatasetError, match=r"found 1 of 3; the first missing one is 00002\.png"):
        load_sub_jhmdb(tmp_path)


# Stills


def test_lsp_marks_what_is_occluded(tmp_path: Path) -> None:
    joints = np.random.default_rng(0).uniform(5, 60, (3, 14, 2000))
    joints[2] = 0
    joints[2, LSP.index("left_wrist"), 1000] = 1
    joints[2, LSP.index("head_top"), 1001] = 1
    write_images(tmp_path / "images", [f"im{i:04d}.jpg" for i in range(1, 2001)], (8, 8))
    write_mat(tmp_path / "joints.mat", joints=joints)
    train, test = load_lsp(tmp_path), load_lsp(tmp_path, "test")
    assert [train[0].name, train[-1].name, test[0].name, test[-1].name] == ["im0001", "im1000", "im1001", "im2000"]
    assert len(train) == len(test) == 1000
    person = test[0]
    assert isinstance(person.images, FrameFiles) and person.visible is not None
    assert person.images.files == (tmp_path / "images/im1001.jpg",)
    wrist, head = PENN.index("left_wrist"), PENN.index("head")
    np.testing.assert_allclose(person.joints[0, wrist], joints[:2, LSP.index("left_wrist"), 1000] - 1, rtol=1e-6)
    np.testing.assert_allclose(person.joints[0, head], joints[:2, -2:, 1000].mean(1) - 1, rtol=1e-6)
    assert np.flatnonzero(~person.visible[0]).tolist() == [wrist]
    assert test[1].visible is not None
    assert np.flatnonzero(~test[1].visible[0]).tolist() == [head], "half of it is occluded"
    jhmdb = load_lsp(tmp_path, "test", "sub_jhmdb")[0]
    np.testing.assert_allclose(jhmdb.joints[0], convert_joints(joints[:2, :, 1000].T - 1, "lsp", "sub_jhmdb"))
    assert np.isnan(load_lsp(tmp_path, "test", "mpii")[0].joints[0, MPII.index("pelvis")]).all(), "masked, not invented"
    (tmp_path / "images/im1500.jpg").unlink()
    assert len(load_lsp(tmp_path)) == 1000, "only the split's own images are needed"
    with pytest.raises(DatasetError, match=r"found 999 of 1000; .* im1500\.jpg"):
        load_lsp(tmp_path, "test")
    write_mat(tmp_path / "joints.mat", joints=np.ones((14, 3, 10)))
    with pytest.raises(DatasetError, match=r"shape \(3, 14, 2000\) .* got \(14, 3, 10\)"):
        load_lsp(tmp_path)


def test_lsp_extended_marks_what_is_labelled(tmp_path: Path) -> None:
    joints = np.random.default_rng(0).uniform(5, 60, (14, 3, 12))
    joints[:, 2] = 1
    joints[LSP.index("right_knee"), :, 3] = [0, -26, 0]
    joints[LSP.index("neck"), :, 4] = [0, 0, 0]
    write_images(tmp_path / "images", [f"im{i:05d}.jpg" for i in range(1, 13)])
    write_mat(tmp_path / "joints.mat", joints=joints)
    people = load_lsp_extended(tmp_path)
    assert [person.name for person in people] == [f"im{i:05d}" for i in range(1, 13)]
    missing = [np.flatnonzero(np.isnan(person.joints[0]).all(-1)).tolist() for person in people]
    assert missing[3] == [PENN.index("right_knee")]
    assert missing[4] == [PENN.index("head")], "derived from one that is missing"
    assert not any(missing[:3] + missing[5:])
    for person, gone in zip(people, missing, strict=True):
        assert person.visible is not None
        assert np.flatnonzero(~person.visible[0]).tolist() == gone
    np.testing.assert_allclose(people[0].joints[0, 2], joints[LSP.index("right_shoulder"), :2, 0] - 1, rtol=1e-6)
    with pytest.raises(ConfigError, match="expected split 'train', got 'test'"):
        load_lsp_extended(tmp_path, "test")
    write_mat(tmp_path / "joints.mat", joints=np.ones((3, 14, 10)))
    with pytest.raises(DatasetError, match=r"shape \(14, 3, N\) .* got \(3, 14, 10\)"):
        load_lsp_extended(tmp_path)


def test_mpii_is_read_with_whatever_fields_it_has(tmp_path: Path) -> None:
    write_mpii(tmp_path)
    people = load_mpii(tmp_path, skeleton="mpii")
    assert [person.name for person in people] == ["a/0", "a/2", "b/0"]
    whole, hips, foot = people
    for person in people:
        assert person.visible is not None and person.joints.shape == (1, 16, 2)
    np.testing.assert_array_equal(whole.joints[0, MPII.index("left_wrist")], [24, 29])
    assert np.isnan(whole.joints[0, MPII.index("left_knee")]).all()
    assert np.flatnonzero(~whole.visible[0]).tolist() == [4, 10]  # type: ignore[index]
    np.testing.assert_array_equal(whole.boxes, [[25, 15, 75, 65]])  # 200 · 0.25 pixels around (50, 40)
    assert hips.boxes is None
    assert np.flatnonzero(np.isfinite(hips.joints[0]).all(-1)).tolist() == [2, 3]
    assert np.flatnonzero(hips.visible[0]).tolist() == [3], "one is marked as hidden, one not at all"  # type: ignore[index]
    np.testing.assert_array_equal(foot.joints[0, MPII.index("right_ankle")], [2.5, 3.5])
    head = load_mpii(tmp_path)[0].joints[0, PENN.index("head")]
    np.testing.assert_array_equal(head, [17.5, 16])  # between upper neck and head top
    with pytest.raises(ConfigError, match="expected split 'train', got 'test'"):
        load_mpii(tmp_path, "test")


def test_an_mpii_that_is_incomplete_is_refused(tmp_path: Path) -> None:
    write_mpii(tmp_path)
    (tmp_path / "images/b.jpg").unlink()
    with pytest.raises(DatasetError, match=r"1 labelled images are missing in .*, first 'b\.jpg'"):
        load_mpii(tmp_path)
    write_mpii(tmp_path, train=(1, 1))
    with pytest.raises(DatasetError, match="4 images, but train flags for 2"):
        load_mpii(tmp_path)
    write_mpii(tmp_path, train=(0, 0, 0, 0))
    with pytest.raises(DatasetError, match="no labelled people"):
        load_mpii(tmp_path)
    write_mat(tmp_path / LABELS, RELEASE={"version": 12})
    with pytest.raises(DatasetError, match="RELEASE with annolist"):
        load_mpii(tmp_path)
    joint_16 = {"image": {"name": "a.jpg"}, "annorect": {"annopoints": {"point": mpii_point(16, 1, 1)}}}
    write_mat(tmp_path / LABELS, RELEASE={"annolist": struct_array(joint_16), "img_train": 1})
    with pytest.raises(DatasetError, match="joint ids 0 to 15"):
        load_mpii(tmp_path)


def test_mpiis_joints_in_the_other_sets() -> None:
    mpii = np.random.default_rng(0).uniform(0, 100, (4, 16, 2)).astype(np.float32)
    penn, jhmdb = (convert_joints(mpii, "mpii", target) for target in ("penn_action", "sub_jhmdb"))
    assert np.isfinite(penn).all() and np.isfinite(jhmdb).all()
    np.testing.assert_array_equal(penn[:, PENN.index("left_elbow")], mpii[:, 14])
    np.testing.assert_array_equal(jhmdb[:, JHMDB.index("neck")], mpii[:, 8])
    np.testing.assert_allclose(jhmdb[:, JHMDB.index("belly")], mpii[:, 8] / 2 + mpii[:, [2, 3]].sum(1) / 4, rtol=1e-5)


# By name


def test_people_are_loaded_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_penn(tmp_path / "penn_action", 3)
    write_penn(tmp_path / "penn_action", 5, train=-1)
    write_penn(tmp_path / "elsewhere/own videos", 4)
    write_mpii(tmp_path / "mpii")
    for fold, split in enumerate("121", 1):
        write_jhmdb(tmp_path / "sub_jhmdb", split, listed=f"sub_splits/{{}}_test_split_{fold}.txt")

    def names(source: str, split: str = "train") -> list[str]:
        return [person.name for person in load_people(source, split)]

    assert names("penn_action") == names("./penn_action") == names(str(tmp_path / "penn_action")) == ["0003"]
    assert names("penn_action", "test") == ["0005"]
    assert names("elsewhere/own videos") == names("penn_action=elsewhere/own videos") == ["0004"]
    assert names("mpii") == ["a/0", "a/2", "b/0"]
    assert names("sub_jhmdb") == names("sub_jhmdb/1") == names("sub_jhmdb/3") == ["catch/a"]
    assert names("sub_jhmdb/2", "test") == names("sub_jhmdb/2=sub_jhmdb", "test") == ["catch/a"]
    with pytest.raises(DatasetError, match="of train in fold 2"):
        names("sub_jhmdb/2")


@pytest.mark.parametrize("source", ["pen_action", "sub_jhmdb/4", "penn_action=", "imagenet", "", "gone/Penn_Action"])
def test_unknown_names_get_the_nearest(source: str) -> None:
    known = "Known: rendered, corrections, penn_action, sub_jh"
    with pytest.raises(ConfigError, match=f"name of a data set(.|\n)*{known}") as caught:
        load_people(source)
    near = {"pen_action": "penn_action", "sub_jhmdb/4": "sub_jhmdb/"}.get(source)
    assert near is None or f"did you mean '{near}" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("penn_action", ["frames/0001/000001.jpg", "labels/0001.mat", "no such folder"]),
        ("sub_jhmdb/2", ["Rename_Images/<class>/<video>/00001.png", "puppet_mask.mat", "sub_splits/"]),
        ("lsp", ["images/im0001.jpg", "joints.mat"]),
        ("lsp_extended", ["images/im00001.jpg", "joints.mat"]),
        ("mpii", ["images/", LABELS]),
        ("./gone", ["labels/0001.mat", "no such folder"]),
    ],
)
def test_missing_files_are_named_with_the_layout(
    source: str, needed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    with pytest.raises(DatasetError) as caught:
        load_people(source)
    name = "penn_action" if source == "./gone" else source.split("/")[0]
    for part in (*needed, "http", f"{name}=path/to/folder", str(tmp_path / name)):
        assert part in str(caught.value)


def test_a_folder_that_lacks_a_part_says_which(tmp_path: Path) -> None:
    write_penn(tmp_path, n_images=0)
    with pytest.raises(DatasetError, match="that folder has no frames"):
        load_penn_action(tmp_path)
    write_penn(tmp_path, n_images=2)
    (tmp_path / "labels/0001.mat").unlink()
    with pytest.raises(DatasetError, match="no label file"):
        load_penn_action(tmp_path)
    for folder in ("Rename_Images", "joint_positions", "puppet_mask"):
        (tmp_path / folder).mkdir()
    with pytest.raises(DatasetError, match="neither sub_splits nor splits"):
        load_sub_jhmdb(tmp_path)


def test_every_source_has_its_own_layout(tmp_path: Path) -> None:
    """No loader accepts the folder of another data set, or fails on it with a different error."""
    write_penn(tmp_path)
    said = {"rendered": "dkd render", "samples": "only has the split 'test'", "pose2sim": "only has the split 'test'"}
    said |= dict.fromkeys(("person_crops", "person_crops/upright"), "crops of people and their labels")
    said |= {"labelled_videos": "videos/NAME.mp4", "corrections": "expected corrected frames"}
    for name in SOURCES:
        if name != "penn_action":
            with pytest.raises(DKDError, match=said.get(name, "official layout")):
                load_people(f"{name}={tmp_path}")


# The real things


@pytest.fixture(scope="module")
def penn_labels(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> dict[str, PennLabels]:
    folder = tmp_path_factory.mktemp("penn")
    with tarfile.open(shared_data / "penn_action/labels.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return {file.stem: read_labels(file) for file in sorted(folder.rglob("*.mat"))}


@pytest.mark.shared
def test_all_real_penn_labels_are_read(penn_labels: dict[str, PennLabels]) -> None:
    assert list(penn_labels) == [f"{i:04d}" for i in range(1, 2327)]
    assert Counter(labels.train for labels in penn_labels.values()) == {True: 1258, False: 1068}
    assert {labels.action for labels in penn_labels.values()} == set(ACTIONS)
    assert {labels.viewpoint for labels in penn_labels.values()} == {"front", "back", "left", "right"}
    for name in ("1154", "1865"):
        boxes = penn_labels[name].boxes
        np.testing.assert_array_equal(boxes[-1], boxes[-2])
    for name, labels in penn_labels.items():
        assert (labels.boxes[:, :2] < labels.boxes[:, 2:]).all(), name
        assert np.isfinite(labels.joints[labels.visible]).all(), name


@pytest.mark.shared
def test_real_penn_joints_lie_in_their_box_and_never_in_the_corner(penn_labels: dict[str, PennLabels]) -> None:
    joints = np.concatenate([labels.joints for labels in penn_labels.values()])
    visible = np.concatenate([labels.visible for labels in penn_labels.values()])
    boxes = np.concatenate([labels.boxes for labels in penn_labels.values()])
    placed = np.isfinite(joints).all(-1)
    # as the docstring of the reader says
    assert ((~visible).sum(), (~visible & placed).sum()) == (469_501, 282_149)
    assert joints[placed].min() >= 3, "1 pixel below what the file says"
    inside = np.asarray(((joints >= boxes[:, None, :2] - 5) & (joints <= boxes[:, None, 2:] + 5)).all(-1))
    assert inside[visible].mean() > 0.999
    assert 0.8 < inside[~visible & placed].mean() < 0.9


@pytest.mark.shared
@pytest.mark.parametrize(("viewpoint", "left_is_right_in_the_image"), [("front", True), ("back", False)])
def test_real_penn_sides_are_the_subjects(
    penn_labels: dict[str, PennLabels], viewpoint: str, left_is_right_in_the_image: bool
) -> None:
    """The left shoulder of a person who faces the camera is on the image's right; in golf and baseball people turn."""
    turning = (
        "baseball_pitch",
        "baseball_swing",
        "golf_swing",
        "tennis_forehand",
        "tennis_serve",
        "situp",
        "bench_press",
    )
    counted = 0
    for labels in penn_labels.values():
        if labels.viewpoint == viewpoint and labels.action not in turning:
            left, right = (PENN.index(f"{side}_shoulder") for side in ("left", "right"))
            both = labels.visible[:, left] & labels.visible[:, right]
            left_x, right_x = (labels.joints[both, j, 0] for j in (left, right))
            counted += len(left_x)
            if len(left_x):
                assert np.mean((left_x > right_x) == left_is_right_in_the_image) > 0.5
    assert counted > 10_000


@pytest.mark.shared
def test_real_penn_guitarists_strum_with_the_right_hand(penn_labels: dict[str, PennLabels]) -> None:
    """Independent of the viewpoint as labelled: most people are right-handed."""
    right_handed = []
    for labels in penn_labels.values():
        if labels.action == "strum_guitar":
            speed = np.linalg.norm(np.diff(labels.joints, axis=0), axis=-1)  # NaN beside a frame without the joint
            left, right = (speed[:, PENN.index(f"{side}_wrist")] for side in ("left", "right"))
            if np.isfinite(left).sum() > 10 and np.isfinite(right).sum() > 10:
                right_handed.append(np.nanmean(right) > np.nanmean(left))
    assert len(right_handed) > 70
    assert np.mean(right_handed) > 0.9


@pytest.fixture
def real_jhmdb(tmp_path: Path, shared_data: Path) -> tuple[Path, dict[str, tuple[np.ndarray, list[float]]]]:
    """Three real frames in the official layout with the real lists, and their keypoints (15, 2) and boxes x, y, w, h.

    The label file's numbers are MATLAB's, from 1, as its authors' reader subtracts 1 from all of them.
    """
    source = shared_data / "sub_jhmdb"
    content = json.loads((source / "samples/test_jhmdb_sub1.json").read_text())
    names = {image["id"]: image["file_name"].split("/")[0] for image in content["images"]}
    labels = {}
    for label in content["annotations"]:
        name = names[label["image_id"]]
        keypoints = np.array(label["keypoints"]).reshape(15, 3)[:, :2]
        x, y, w, h = (int(v) for v in label["bbox"])
        mask = np.zeros((240, 320), np.uint8)
        mask[y - 1 : y - 1 + h, x - 1 : x - 1 + w] = 1
        shutil.copytree(source / "samples" / name, tmp_path / "Rename_Images/catch" / name)
        write_mat(tmp_path / "joint_positions/catch" / name / "joint_positions.mat", pos_img=keypoints.T)
        write_mat(tmp_path / "puppet_mask/catch" / name / "puppet_mask.mat", part_mask=mask)
        labels[f"catch/{name}"] = keypoints, label["bbox"]
    with zipfile.ZipFile(source / "jhmdb_splits.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path, labels


@pytest.mark.shared
def test_real_sub_jhmdb_frames_agree_with_their_coco_labels(
    real_jhmdb: tuple[Path, dict[str, tuple[np.ndarray, list[float]]]],
) -> None:
    root, labels = real_jhmdb
    people: dict[str, PersonSequence] = {person.name: person for person in load_sub_jhmdb(root, "test", 1)}
    assert people.keys() == labels.keys()
    assert len(people) == 3
    for name, person in people.items():
        keypoints, (x, y, w, h) = labels[name]
        np.testing.assert_allclose(person.joints[0], keypoints - 1, rtol=1e-6)
        np.testing.assert_array_equal(person.boxes, [[x - 1, y - 1, x + w - 2, y + h - 2]])
        assert person.images[0].shape == (240, 320, 3)
        by_name = dict(zip(JHMDB, person.joints[0], strict=True))
        assert by_name["head"][1] < by_name["neck"][1] < by_name["belly"][1] < by_name["left_knee"][1]


@pytest.mark.shared
def test_the_real_lists_of_the_three_folds(
    real_jhmdb: tuple[Path, dict[str, tuple[np.ndarray, list[float]]]],
) -> None:
    root, _ = real_jhmdb
    folds = [read_split(root / "splits", fold) for fold in (1, 2, 3)]
    assert [len(fold) for fold in folds] == [928, 928, 928]
    assert len({action for action, _ in folds[0]}) == 21
    assert Counter(folds[0].values()) == {"train": 660, "test": 268}
    assert [person.name[:-1] for person in load_sub_jhmdb(root, "train", 2)] == [FRISBEE] * 2
    assert len(load_sub_jhmdb(root, "train", 3)) == 3
    with pytest.raises(DatasetError, match="is of train in fold 1"):
        load_sub_jhmdb(root, "train", 1)
