"""Boxes, and arguments of the library's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import dkd
from dkd import Clip, ClipRange, OneEuro, PoseTrack, Reinitialise, Trace
from dkd.formats.files import export
from dkd.measures.metrics import auc, oks, pck
from dkd.models.registry import build_model
from dkd.pose.crops import check_box
from dkd.pose.skeleton import SKELETONS
from dkd.tracking.conditions import Conditions
from tests.corpus.cases import Case, Use, uses
from tests.support.tracks import make_track

BOXES, ARGUMENTS = "boxes", "arguments of the library"
NAN, INF = float("nan"), float("inf")
REFUSED: tuple[Any, ...] = (
    (0, 0, NAN, 9),
    (0, 0, INF, 9),
    (-INF, 0, INF, 9),
    (9, 9, 1, 1),
    (1, 1, 1, 9),
    (1, 1, 9, 1),
    (0, 0, 2, 2),
    (200, 0, 300, 50),
    (-90, 0, -10, 50),
    (1, 2, 3),
    (1, 2, 3, 4, 5),
    (),
    "1,2,3,4",
    ("a", "b", "c", "d"),
    5,
    (1, 2, (3,), 4),
    (1 + 1j, 2, 30, 40),
    (True, False, None, 9),
    {"x": 1, "y": 2, "w": 3, "h": 4},
    (158, 0, 300, 90),
)
CLIPPED: tuple[tuple[Any, tuple[float, ...]], ...] = (
    ((10, 10, 50, 80), (10, 10, 50, 80)),
    ((-1e30, -1e30, 1e30, 1e30), (0, 0, 160, 96)),
    ((-5, -5, 20, 20), (0, 0, 20, 20)),
    (np.array([1, 2, 30, 40]), (1, 2, 30, 40)),
    ([[1, 2], [30, 40]], (1, 2, 30, 40)),
)
_FRAMES = np.zeros((4, 96, 160, 3), np.uint8)
_T = np.zeros((4, 13, 2))


def _tiny() -> Any:
    torch.manual_seed(0)
    return build_model("dkd-tiny", channels=4, input_size=128)


def _trace(**more: Any) -> Any:
    return Trace(
        _tiny(), Clip.from_array(_FRAMES), engine="torch", progress=False, **({"box": (10, 10, 90, 90)} | more)
    )


def _track(**more: Any) -> PoseTrack:
    shape = (4, 1, 13)
    values = {
        "xy": np.zeros((*shape, 2)),
        "scores": np.zeros(shape),
        "frames": np.arange(4),
        "times": np.arange(4) / 25,
    }
    return PoseTrack(**{**values, "skeleton": SKELETONS["penn_action"], **more})


def _export(name: str, **options: Any) -> Any:
    return export(make_track(1, 5, 1, SKELETONS["penn_action"], None), name, **options)


CALLS: dict[str, Callable[[], Any]] = {
    "Clip of a list": lambda: Clip(["a.mp4"]),  # type: ignore[arg-type]
    "Clip of None": lambda: Clip(None),  # type: ignore[arg-type]
    "Clip of a number": lambda: Clip(3),  # type: ignore[arg-type]
    "a cache of −1 bytes": lambda: Clip("a.mp4", cache_bytes=-1),
    "a cache of NaN bytes": lambda: Clip("a.mp4", cache_bytes=NAN),  # type: ignore[arg-type]
    "an unknown decoder": lambda: Clip("a.mp4", backend="magic"),  # type: ignore[arg-type]
    "fps of a video": lambda: Clip("a.mp4", fps=25),
    "frames of floats": lambda: Clip.from_array(_FRAMES.astype(float)),
    "frames without colours": lambda: Clip.from_array(_FRAMES[..., 0]),
    "no frames": lambda: Clip.from_array(_FRAMES[:0]),
    "frames of text": lambda: Clip.from_array("frames"),  # type: ignore[arg-type]
    "fps NaN": lambda: Clip.from_array(_FRAMES, NAN),
    "fps −1": lambda: Clip.from_array(_FRAMES, -1),
    "fps in text": lambda: Clip.from_array(_FRAMES, "fast"),  # type: ignore[arg-type]
    "frame −1": lambda: Clip.from_array(_FRAMES)[-1],
    "frame 4 of 4": lambda: Clip.from_array(_FRAMES)[4],
    "frame 10^30": lambda: Clip.from_array(_FRAMES)[10**30],
    "frames that go back": lambda: Clip.from_array(_FRAMES).frames(3, 1),
    "an empty range": lambda: ClipRange(Clip.from_array(_FRAMES), 2, 2),
    "a range behind the end": lambda: ClipRange(Clip.from_array(_FRAMES), 2, 9),
    "an unknown model": lambda: dkd.load_model("magic"),
    "a model called ''": lambda: dkd.load_model(""),
    "a model of a folder": lambda: dkd.load_model("."),
    "an unknown architecture": lambda: build_model("magic"),
    "−1 channels": lambda: build_model("dkd-tiny", channels=-1),
    "channels in text": lambda: build_model("dkd-tiny", channels="many"),
    "an unknown setting": lambda: build_model("dkd-tiny", colour=3),
    "a trace of a box in text": lambda: _trace(box="10,10,90,90"),
    "a trace of no frames": lambda: _trace(stop=0),
    "a trace of −3 frames": lambda: _trace(stop=-3),
    "a trace of half a frame": lambda: _trace(stop=1.5),
    "ground truth of 5 joints": lambda: _trace(ground_truth=np.zeros((4, 5, 2))),
    "infinite ground truth": lambda: _trace(ground_truth=_T + INF),
    "ground truth of 2 frames": lambda: _trace(ground_truth=_T[:2]),
    "an unknown engine": lambda: Trace(_tiny(), Clip.from_array(_FRAMES), engine="steam", progress=False),
    "a trace of a number": lambda: Trace(_tiny(), 3, progress=False),  # type: ignore[arg-type]
    "a trace by a number": lambda: Trace(3, Clip.from_array(_FRAMES), progress=False),  # type: ignore[arg-type]
    "an unknown square": lambda: Conditions(square="circle"),  # type: ignore[arg-type]
    "a smoother that is made": lambda: Conditions(smooth=OneEuro()),  # type: ignore[arg-type]
    "a joint that is not there": lambda: _trace().contributions(0, "tail"),
    "a frame that is not there": lambda: _trace().contributions(9, "head"),
    "a correction at NaN": lambda: _trace().correct_joint(1, "head", NAN, 3),
    "a restart at frame 9": lambda: _trace().restart(9),
    "worst moments of no joint": lambda: dkd.worst(_trace(), joint="tail"),
    "−1 worst moments": lambda: dkd.worst(_trace(), -1),
    "a cut-off of 0 Hz": lambda: OneEuro(0),
    "a cut-off of NaN": lambda: OneEuro(NAN),
    "an infinite beta": lambda: OneEuro(beta=INF),
    "re-initialise at 2": lambda: Reinitialise(threshold=2),
    "re-initialise at NaN": lambda: Reinitialise(threshold=NAN),
    "PCK of other shapes": lambda: pck(_T, _T[:2], 10, 0.2),
    "PCK of complex numbers": lambda: pck(_T * 1j, _T, 10, 0.2),
    "PCK of flags": lambda: pck(_T > 0, _T, 10, 0.2),
    "PCK of text": lambda: pck("a", _T, 10, 0.2),  # type: ignore[arg-type]
    "PCK at NaN": lambda: pck(_T, _T, 10, NAN),
    "PCK at −1": lambda: pck(_T, _T, 10, -1),
    "PCK of three lengths": lambda: pck(_T, _T, np.ones(3), 0.2),
    "an area up to 0": lambda: auc(_T, _T, 10, 0),
    "OKS of an unknown skeleton": lambda: oks(_T, _T, 100, "hydra"),
    "motion of one axis": lambda: dkd.motion(_T[..., 0], None, 10),
    "motion of lists of other lengths": lambda: dkd.motion([[1], [2, 3]], None, 10),  # type: ignore[arg-type]
    "an unknown skeleton": lambda: dkd.get_skeleton("hydra"),
    "a track without frames": lambda: _track(
        xy=np.zeros((0, 1, 13, 2)), scores=np.zeros((0, 1, 13)), frames=[], times=[]
    ),
    "a track of infinite joints": lambda: _track(xy=np.full((4, 1, 13, 2), INF)),
    "a track of repeated frames": lambda: _track(frames=[0, 1, 1, 2]),
    "a track that goes back in time": lambda: _track(times=[0, 3, 2, 4]),
    "a track of two people, one name": lambda: _track(people=("a", "b")),
    "a person called ' '": lambda: _track(people=(" ",)),
    "a track at fps 0": lambda: _track(fps=0),
    "a track of width −1": lambda: _track(size=(-1, 5)),
    "a track timed at 0": lambda: _track().timed(0),
    "a track timed at NaN": lambda: _track().timed(NAN),
    "an export to .xyz": lambda: _export("a.xyz"),
    "an export without an ending": lambda: _export("a"),
    "an export in an unknown format": lambda: _export("a.csv", format="xls"),
    "an export with an unknown option": lambda: _export("a.csv", colour="red"),
    "an export into no folder": lambda: _export("no/such/folder\0/a.csv"),
    "an overlay without a video": lambda: _export("a.mp4"),
    "a TRC without times": lambda: export(_track(times=np.full(4, NAN)), "a.trc"),
    "an export at fps 0": lambda: _export("a.csv", fps=0),
    "an export of size 0": lambda: _export("a.csv", size=(0, 0)),
    "an export of nothing": lambda: export([], "a.csv"),
    "an export of a number": lambda: export(3, "a.csv"),
    "joints matched to no skeleton": lambda: dkd.match_joints(["head"], "hydra"),
    "data of an unknown source": lambda: dkd.load_people("magic"),
    "data of an unknown split": lambda: dkd.load_people("penn_action", "exam"),
    "an unknown method": lambda: dkd.get_method("magic"),
    "a method twice frozen": lambda: dkd.get_method("dkd-mobilenetv2+frozen+frozen"),
    "an evaluation in no folder": lambda: dkd.Evaluation("nowhere"),
    "a session of no file": lambda: dkd.Session.load("nowhere"),
    "poses of no file": lambda: dkd.load_poses("nowhere.csv"),
    "an unknown sample": lambda: dkd.get_sample("magic"),
    "rendered people of size −1": lambda: next(
        iter(dkd.render_set("set", dkd.RenderSetConfig(n_train=1, n_test=1, size=-1)))
    ),
    "no rendered people": lambda: next(iter(dkd.render_set("set", dkd.RenderSetConfig(n_train=0, n_test=0)))),
    "runs of a file": lambda: dkd.list_runs(__file__),
    "a plan that is not there": lambda: dkd.load_plan("magic"),
    "a recipe that is not there": lambda: dkd.load_recipe("magic"),
}


def _box(box: Any, expected: tuple[float, ...] | None) -> Callable[[Path], Use]:
    right = None if expected is None else lambda found: found == expected
    return lambda folder: uses(lambda: check_box(box, 160, 96), right)


def _call(call: Callable[[], Any]) -> Callable[[Path], Use]:
    return lambda folder: uses(call)


def cases() -> Iterator[Case]:
    for box in REFUSED:
        yield Case(BOXES, repr(box), "refused", _box(box, None))
    for box, expected in CLIPPED:
        yield Case(BOXES, repr(box), "right", _box(box, expected))
    for name, call in CALLS.items():
        yield Case(ARGUMENTS, name, "refused", _call(call))
