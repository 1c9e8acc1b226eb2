"""Published protocols: counted joints, normalising length, and the mean that a paper reports."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from dkd.datasets.penn_action import PennLabels, read_labels
from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, ShapeError
from dkd.evaluation.protocols import (
    DEFAULT,
    PROTOCOLS,
    Counts,
    Protocol,
    average_folds,
    box_areas,
    counted,
    get_protocol,
    normaliser,
    paper_columns,
    torso_lengths,
)
from dkd.pose.skeleton import get_skeleton

PENN, JHMDB = get_skeleton("penn_action"), get_skeleton("sub_jhmdb")
FAULTY = ("1154", "1865")  # their files have one box too few
PIXEL = np.zeros((1, 1, 3), np.uint8)


def make_person(n_frames: int = 3, skeleton: str = "penn_action", **more: object) -> PersonSequence:
    rng = np.random.default_rng(0)
    joints = rng.uniform(0, 90, (n_frames, len(get_skeleton(skeleton)), 2)).astype(np.float32)
    return PersonSequence([PIXEL] * n_frames, joints, "a", skeleton, **more)  # type: ignore[arg-type]


# Which protocol


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("penn_action", "penn_action"),
        ("penn_action=some/folder", "penn_action"),
        ("sub_jhmdb", "sub_jhmdb"),
        ("sub_jhmdb/3", "sub_jhmdb"),
        ("sub_jhmdb/3=folder", "sub_jhmdb"),
        ("rendered", "rendered"),
        ("pose2sim", "pose2sim"),
        ("pose2sim_cam01", "pose2sim"),
        ("./penn_action", "own data"),
        ("penn_action/own", "own data"),
        ("My Videos", "own data"),
        ("", "own data"),
    ],
)
def test_the_protocol_of_a_source(data: str, name: str) -> None:
    assert get_protocol(data).name == name


def test_what_the_protocols_say() -> None:
    assert {name: (p.counts, p.normaliser, p.alpha, p.folds) for name, p in PROTOCOLS.items()} == {
        "penn_action": ("visible", "box", 0.2, ()),
        "sub_jhmdb": ("labelled", "box", 0.2, (1, 2, 3)),
        "rendered": ("visible", "box", 0.2, ()),
        "pose2sim": ("labelled", "box", 0.2, ()),
    }
    assert DEFAULT.counts == "visible"
    with pytest.raises(ConfigError, match="did you mean 'visible'"):
        Protocol("mine", "", counts="visble")
    with pytest.raises(ConfigError, match="normaliser 'head'"):
        Protocol("mine", "", normaliser="head")


def test_which_joints_count() -> None:
    visible = np.ones((3, 13), bool)
    visible[1, 4] = visible[2, 5] = False
    person = make_person(visible=visible)
    person.joints[2, 5] = np.nan  # was never placed
    person.joints[0, 6] = np.nan
    assert np.argwhere(~counted(person)).tolist() == [[0, 6], [1, 4], [2, 5]]
    assert np.argwhere(~counted(person, "labelled")).tolist() == [[0, 6], [2, 5]]
    assert np.argwhere(~PROTOCOLS["penn_action"].counted(person)).tolist() == [[0, 6], [1, 4], [2, 5]]
    assert np.argwhere(~PROTOCOLS["sub_jhmdb"].counted(person)).tolist() == [[0, 6], [2, 5]]
    assert counted(make_person()).all()
    with pytest.raises(ConfigError, match="counted joints"):
        counted(person, "all")


# Over which length


def test_the_box_is_its_larger_side() -> None:
    boxes = np.array([[0, 0, 30, 40], [5, 5, 65, 15], [np.nan] * 4], np.float32)
    person = make_person(boxes=boxes)
    np.testing.assert_array_equal(normaliser(person), [40, 60, np.nan])
    np.testing.assert_array_equal(box_areas(person), [1200, 600, np.nan])
    alone = make_person()
    alone.joints[1, 1:] = np.nan  # one joint has no box
    spans = np.ptp(alone.joints.astype(np.float64), axis=1)
    np.testing.assert_array_equal(normaliser(alone), [spans[0].max(), np.nan, spans[2].max()])
    with pytest.raises(ConfigError, match="normaliser 'head'"):
        normaliser(person, "head")


def test_the_torso_is_left_shoulder_to_right_hip_and_the_predictions_below_a_pixel() -> None:
    person = make_person(4)
    truth, predicted = person.joints, np.full((4, 13, 2), 500.0)
    shoulder, hip = PENN.index("left_shoulder"), PENN.index("right_hip")
    truth[:, shoulder], truth[:, hip] = (10, 10), (40, 50)
    truth[1, hip] = (10.9, 10)  # 0.9 px
    truth[2, hip] = (11, 10)  # 1 px: long enough
    truth[3, hip] = np.nan
    predicted[1, shoulder], predicted[1, hip] = (0, 0), (6, 8)
    np.testing.assert_array_equal(normaliser(person, "torso", predicted), [50, 10, 1, np.nan])
    np.testing.assert_array_equal(normaliser(person, "torso"), [50, np.nan, 1, np.nan])
    np.testing.assert_array_equal(torso_lengths(truth, predicted, "penn_action"), [50, 10, 1, np.nan])
    # a frame without a length is skipped, and told
    counts = DEFAULT.joint_counts(person, truth, kind="torso")
    assert (counts.hits.sum(), counts.counted.sum(), counts.skipped) == (39, 39, 12)
    assert counts.counted.tolist() == [3] * 13


# Which mean


def columns_of(row: list[float]) -> dict[str, float]:
    """Convert printed columns in percent into hits of 1,000 and back."""
    per_joint = [row[0], *(value for value in row[1:] for _ in range(2))]
    return paper_columns(np.round(np.array(per_joint) * 10), np.full(13, 1000), PENN)


@pytest.mark.parametrize(
    ("row", "printed", "means"),
    [
        # Thin-Slicing, LSTM Pose Machines, DKD (ResNet50), K-FPN: columns and mean as they print them on Penn Action
        ([98.0, 97.3, 95.1, 94.7, 97.1, 97.1, 96.9], 96.5, {"mean (13 joints)"}),
        ([98.9, 98.6, 96.6, 96.6, 98.2, 98.2, 97.5], 97.7, {"mean (13 joints)"}),
        ([98.8, 98.7, 96.8, 97.0, 98.2, 98.1, 97.2], 97.8, {"mean (13 joints)", "mean (7 columns)"}),
        ([98.7, 98.7, 97.0, 95.3, 98.8, 98.7, 98.6], 98.0, {"mean (7 columns)"}),
    ],
)
def test_which_mean_reproduces_the_papers(row: list[float], printed: float, means: set[str]) -> None:
    """On Penn Action the printed mean is over 13 joints, except for K-FPN, whose 98.0 is over 7 columns."""
    found = columns_of(row)
    np.testing.assert_allclose([100 * value for value in list(found.values())[:7]], row)
    assert {
        name for name in ("mean (7 columns)", "mean (13 joints)") if round(100 * found[name], 1) == printed
    } == means


def test_the_means_of_sub_jhmdb_in_closed_form() -> None:
    """Joint j of 15 has j hits of 10 or 20; each mean weights the joints differently."""
    share = {name: j / 20 for j, name in enumerate(JHMDB.joints)}
    n = np.array([10 if j % 2 else 20 for j in range(15)])
    found = paper_columns(np.round(n * np.arange(15) / 20), n, JHMDB)
    hits = [round(n[j] * j / 20) for j in range(15)]
    share = {name: hits[j] / n[j] for j, name in enumerate(JHMDB.joints)}

    def mean(*parts: str) -> float:
        return sum(share[f"{side}_{part}"] for part in parts for side in ("left", "right")) / 2 / len(parts)

    sides = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert list(found) == [
        "Head", "Sho", "Elb", "Wri", "Hip", "Knee", "Ank", "mean (7 columns)", "mean (13 joints)", "mean (15 joints)",
        "pooled (all joints)",
    ]  # fmt: skip
    for column, part in zip(("Sho", "Elb", "Wri", "Hip", "Knee", "Ank"), sides, strict=True):
        assert found[column] == pytest.approx(mean(part))
    assert found["Head"] == share["head"]
    assert found["mean (7 columns)"] == pytest.approx((share["head"] + 6 * mean(*sides)) / 7)
    assert found["mean (13 joints)"] == pytest.approx((share["head"] + 12 * mean(*sides)) / 13)
    assert found["mean (15 joints)"] == pytest.approx(sum(share.values()) / 15)
    assert found["pooled (all joints)"] == pytest.approx(sum(hits) / n.sum())
    assert len({round(found[name], 6) for name in list(found)[7:]}) == 4


def test_a_mean_is_what_its_name_says_or_nan() -> None:
    n = np.full(13, 10)
    n[PENN.index("left_wrist")] = 0
    found = paper_columns(n * 0.5, n, PENN)
    assert found["Wri"] == 0.5  # the other wrist
    assert found["mean (7 columns)"] == 0.5
    assert np.isnan(found["mean (13 joints)"])
    n[0] = 0
    found = paper_columns(n * 0.5, n, PENN)
    assert np.isnan([found["Head"], found["mean (7 columns)"], found["mean (13 joints)"]]).all()
    assert found["pooled (all joints)"] == 0.5
    assert np.isnan(list(paper_columns(0 * n, 0 * n, PENN).values())).all()
    assert paper_columns([1, 1], [1, 2], ["left_wrist", "head"])["Head"] == 0.5  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="13 hits"):
        paper_columns(n[:4], n[:4], PENN)


def test_splits_are_averaged_and_never_pooled() -> None:
    """One of 10 and 90 of 90: the splits' mean is 0.55; pooled it would be 0.91."""
    rows = [paper_columns(np.full(13, hits), np.full(13, n), PENN) for hits, n in ((1, 10), (90, 90))]
    averaged = average_folds(rows)
    assert list(averaged) == list(rows[0])
    assert all(value == pytest.approx(0.55) for value in averaged.values())
    for wrong in ([], [rows[0], {"Head": 1.0}]):
        with pytest.raises(ConfigError, match="same entries"):
            average_folds(wrong)


def test_predictions_must_be_of_the_videos_shape() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 13, 2\)"):
        DEFAULT.joint_counts(make_person(), np.zeros((2, 13, 2)))


# The real labels


@pytest.fixture(scope="module")
def penn_files(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("penn")
    with tarfile.open(shared_data / "penn_action/labels.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return next(folder.rglob("0001.mat")).parent


@pytest.fixture(scope="module")
def penn_test_set(penn_files: Path) -> dict[str, PennLabels]:
    """Load the 1,068 test videos, and the two faulty ones of any split."""
    labels = {file.stem: read_labels(file) for file in sorted(penn_files.glob("*.mat"))}
    assert sum(not video.train for video in labels.values()) == 1068
    return {name: video for name, video in labels.items() if not video.train or name in FAULTY}


def person_of(name: str, labels: PennLabels) -> PersonSequence:
    images = [PIXEL] * len(labels.joints)
    return PersonSequence(images, labels.joints, name, visible=labels.visible, boxes=labels.boxes, action=labels.action)


def columns_of_file() -> Iterator[tuple[int, int]]:
    """Map our joints to the file's columns: the files have the subject's right first, see dkd.datasets.penn_action."""
    for j, joint in enumerate(PENN.joints):
        yield j, 0 if joint == "head" else (j + 1 if joint.startswith("left") else j - 1)


@pytest.mark.shared
def test_penn_action_is_counted_as_published(penn_files: Path, penn_test_set: dict[str, PennLabels]) -> None:
    """Known displacements of the real labels give the same hits as plain counting of the files' visibilities.

    Joint j is displaced in every (j + 2)nd frame, alternately by 1.005 and 0.995 of the threshold. Hidden and missing
    joints get arbitrary values, or none.
    """
    protocol = get_protocol("penn_action")
    hits, n, hit_at_once = np.zeros(13, int), np.zeros(13, int), np.zeros(13, int)
    expected_hits, expected_n = np.zeros(13, int), np.zeros(13, int)
    for name, labels in penn_test_set.items():
        raw = loadmat(penn_files / f"{name}.mat", variable_names=["visibility", "bbox"])
        visibility, boxes = raw["visibility"], raw["bbox"].astype(float)
        assert len(boxes) == len(visibility) - (name in FAULTY)
        predicted = labels.joints.astype(np.float64)
        for t in range(len(visibility)):
            x0, y0, x1, y1 = boxes[min(t, len(boxes) - 1)]  # the last one again where one is missing
            side = max(x1 - x0, y1 - y0)
            if min(x1 - x0, y1 - y0) <= 0:  # no size: the reader puts another one there, and must not divide by 0
                side = max(*(labels.boxes[t, 2:] - labels.boxes[t, :2]))
                assert side > 0
            for j, column in columns_of_file():
                if not visibility[t, column]:
                    predicted[t, j] = np.nan if t % 2 else 1e6
                    continue
                expected_n[j] += 1
                displaced = t % (j + 2) == 0
                above = t % (2 * (j + 2)) == 0
                if displaced:
                    angle = 0.7 * j + t
                    reach = 0.2 * side * (1.005 if above else 0.995)
                    predicted[t, j] += reach * np.array([np.cos(angle), np.sin(angle)])
                expected_hits[j] += not (displaced and above)
        counts = protocol.joint_counts(person_of(name, labels), predicted)
        assert counts.skipped == 0
        hits += counts.hits
        n += counts.counted
        hit_at_once += protocol.joint_counts(person_of(name, labels), labels.joints).hits
    assert n.sum() > 750_000
    assert n.tolist() == expected_n.tolist()
    assert hits.tolist() == expected_hits.tolist()
    assert hit_at_once.tolist() == expected_n.tolist()
    row = paper_columns(hits, n, PENN)
    shares = dict(zip(PENN.joints, expected_hits / expected_n, strict=True))
    assert row["Knee"] == pytest.approx((shares["left_knee"] + shares["right_knee"]) / 2)
    assert row["mean (13 joints)"] == pytest.approx(sum(shares.values()) / 13)


@pytest.mark.shared
def test_real_joints_at_the_threshold_are_hits_and_hidden_ones_do_not_matter(
    penn_test_set: dict[str, PennLabels],
) -> None:
    """A quarter of the side is exact in binary, so the error equals the threshold exactly."""
    protocol, rng = get_protocol("penn_action"), np.random.default_rng(0)
    for name in [*list(penn_test_set)[::40], *FAULTY]:
        labels = penn_test_set[name]
        person = person_of(name, labels)
        side = normaliser(person)
        predicted = labels.joints.astype(np.float64)
        predicted[..., 0] += side[:, None] / 4
        counts = protocol.joint_counts(person, predicted, alpha=0.25)
        assert counts.hits.tolist() == counts.counted.tolist() == labels.visible.sum(0).tolist()
        beyond = protocol.joint_counts(person, predicted, alpha=np.nextafter(0.25, 0))
        assert (beyond.hits.sum(), beyond.counted.sum()) == (0, labels.visible.sum())
        nonsense = np.where(labels.visible[..., None], predicted, rng.uniform(-1e4, 1e4, predicted.shape))
        again: Counts = protocol.joint_counts(person, nonsense, alpha=0.25)
        assert again.hits.tolist() == counts.hits.tolist() and again.counted.tolist() == counts.counted.tolist()


@pytest.mark.shared
def test_real_torsos_skip_what_has_none(penn_test_set: dict[str, PennLabels]) -> None:
    """Counted and skipped joints together are the visible ones, and a frame is skipped completely."""
    protocol = get_protocol("penn_action")
    skipped = 0
    shoulder, hip = PENN.index("left_shoulder"), PENN.index("right_hip")
    for name, labels in penn_test_set.items():
        counts = protocol.joint_counts(person_of(name, labels), labels.joints, kind="torso")
        without = np.isnan(labels.joints[:, [shoulder, hip]]).any((1, 2))
        assert counts.skipped == labels.visible[without].sum()
        assert counts.counted.tolist() == counts.hits.tolist() == labels.visible[~without].sum(0).tolist()
        skipped += counts.skipped
    assert skipped > 0
