"""Parts of frames that are kept for what-ifs: the same pixels, bit by bit, without reading frames again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd import Trace
from dkd.models.dkd import DKD
from dkd.models.registry import build_model
from dkd.pose.crops import Crop
from dkd.tracking.patches import Patches
from dkd.video.clip import Clip
from dkd.video.samples import get_sample

WIDTH, HEIGHT, SIZE = 150, 110, 32
FRAME = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
BOX = (100.0, 20.0, 240.0, 230.0)
squares = st.builds(
    lambda left, top, side: Crop(left, top, side).rounded(),
    st.floats(-120, WIDTH), st.floats(-120, HEIGHT), st.floats(8, 200),
)  # fmt: skip


@given(squares, st.floats(-0.15, 0.15), st.floats(-0.15, 0.15), st.floats(0.9, 1.1))
def test_a_patch_gives_the_pixels_of_the_frame(square: Crop, dx: float, dy: float, scale: float) -> None:
    """Of the square that it was kept for, and of squares near it, also partly outside the frame."""
    patches = Patches(WIDTH, HEIGHT, SIZE)
    np.testing.assert_array_equal(patches.put(7, FRAME, square), square.extract(FRAME, SIZE))
    near = Crop(square.left + dx * square.side, square.top + dy * square.side, square.side * scale).rounded()
    for one in (square, near):
        found = patches.get(7, one)
        assert found is not None or one is near or 7 not in patches
        if found is not None:
            np.testing.assert_array_equal(found, one.extract(FRAME, SIZE))
    assert patches.get(8, square) is None


def test_what_is_far_is_not_there_and_the_limit_holds() -> None:
    patches = Patches(WIDTH, HEIGHT, SIZE, limit=30_000)
    square = Crop(20, 20, 40)
    patches.put(0, FRAME, square)
    assert patches.get(0, Crop(60, 20, 40)) is None
    assert patches.get(0, Crop(20, 20, 80)) is None  # at another resolution
    assert patches.get(0, Crop(22, 19, 41)) is not None
    each = patches.nbytes
    for t in range(20):
        patches.put(t, FRAME, square)
        assert patches.nbytes == each * len(patches) <= 30_000
    assert 1 < len(patches) < 20
    patches.put(0, FRAME, Crop(60, 20, 40))
    assert patches.get(0, Crop(60, 20, 40)) is not None  # the newer square takes its place
    patches.clear()
    assert (len(patches), patches.nbytes) == (0, 0)


@pytest.fixture(scope="module")
def model() -> DKD:
    torch.manual_seed(0)
    made = build_model("dkd-tiny", input_size=128, channels=16, kernel_side=5).eval()
    assert isinstance(made, DKD)
    torch.nn.init.normal_(made.readout.weight)
    return made


def test_a_second_what_if_reads_only_frames_that_it_changes(model: DKD, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one decodes; then squares and features are there. The result is that of a run without them."""
    with Clip(get_sample("rendered_walk").path, cache_bytes=0) as clip:
        trace = Trace(model, clip, BOX, stop=12, engine="torch", progress=False)
        assert trace._patches is not None and len(trace._patches) == 0
        first = trace.restart(4)
        assert len(trace._patches) == 8
        read: list[int] = []
        frame = Clip.frame

        def noted(self: Clip, t: int) -> np.ndarray:
            read.append(t)
            return frame(self, t)

        monkeypatch.setattr(Clip, "frame", noted)
        again = trace.restart(4)
        assert read == []
        assert trace._patches.features_hits == 8
        assert again.crops == first.crops
        np.testing.assert_array_equal(again.heatmaps, first.heatmaps)
        repeated = trace.repeat_frame(range(6, 9))
        assert read == [] and trace._patches.hits >= 14
        dark = trace.darken(range(6, 8))
        assert set(read) == {6, 7}
        for made in (again, repeated, dark):
            whole = Trace(model, clip, BOX, made.conditions, stop=12, engine="torch", progress=False)
            np.testing.assert_array_equal(made.heatmaps, whole.heatmaps)
            np.testing.assert_array_equal(made.kernels, whole.kernels)
            assert made.crops == whole.crops


def test_closing_frees_the_patches_and_memory_has_none(model: DKD) -> None:
    with Clip(get_sample("rendered_walk").path) as clip:
        trace = Trace(model, clip, BOX, stop=6, engine="torch", progress=False)
        changed = trace.restart(2)
        patches = trace._patches
        assert patches is not None and patches is changed._patches and len(patches) == 4
        in_memory = Clip.from_array(np.stack([clip.frame(t) for t in range(4)]))
        changed.close()
        assert len(patches) == 4  # the trace may be changed again
        trace.close()
        assert len(patches) == 0
    assert Trace(model, in_memory, BOX, engine="torch", progress=False)._patches is None
