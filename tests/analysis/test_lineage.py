"""Kernels over time against plain loops, NumPy's SVD and closed forms; and the messages of the view."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import Any

import cv2
import ipywidgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dkd import Clip, Reinitialise, Trace, build_model, load_model
from dkd.analysis.lineage import (
    channel_reliance,
    compare_kernels,
    drift,
    largest_jumps,
    principal_components,
    sample_frames,
    similarity,
    structure_correlation,
    top_channels,
)
from dkd.errors import ConfigError, DKDError, FrameIndexError, ShapeError
from dkd.video.samples import get_sample
from tests.support.fake_trace import FakeTrace, read_number
from tests.support.server import PATIENCE_S
from widgets import Cursor, Lineage, Player
from widgets.core.wire import read_message
from widgets.lineage.lineage import render_matrix, render_pictures, render_reliance

T, C, S = 11, 26, 7
WRIST = "left_wrist"


@pytest.fixture
def trace() -> Any:
    """Make a fake trace whose kernels differ from frame to frame."""
    made = FakeTrace(T, channels=C)
    made.kernels += 0.3 * np.random.default_rng(5).standard_normal(made.kernels.shape).astype(np.float32)
    return made


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the cosine in plain loops."""
    products = squares_a = squares_b = 0.0
    for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True):
        products, squares_a, squares_b = products + x * y, squares_a + x * x, squares_b + y * y
    return products / (squares_a * squares_b) ** 0.5


# ---- figures of kernels


@pytest.mark.parametrize("joint", [None, WRIST])
@pytest.mark.parametrize("centred", [False, True])
def test_similarity_is_the_cosine_of_each_pair(trace: Any, joint: str | None, centred: bool) -> None:
    kernels = trace.kernels.astype(float)
    if joint:
        kernels = kernels * trace.readout[trace.skeleton.index(joint)][:, None, None]
    if centred:
        kernels = kernels - kernels.mean(0)
    expected = [[cosine(kernels[s], kernels[t]) for t in range(T)] for s in range(T)]
    found = similarity(trace, joint, centred=centred)
    assert found.rows.tolist() == found.columns.tolist() == list(range(T))
    np.testing.assert_allclose(found.values, expected, atol=1e-6)


@settings(max_examples=10)
@given(st.lists(st.floats(0.01, 100), min_size=T, max_size=T), st.integers(0, 99))
def test_similarity_is_1_to_itself_symmetric_and_blind_to_scale(scales: list[float], seed: int) -> None:
    made: Any = FakeTrace(T, channels=13, seed=seed)
    before = similarity(made).values
    np.testing.assert_allclose(np.diag(before), 1, atol=1e-6)
    np.testing.assert_array_equal(before, before.T)
    made.kernels = made.kernels * np.array(scales, np.float32)[:, None, None, None]
    np.testing.assert_allclose(similarity(made).values, before, atol=2e-6)


def test_centring_sees_a_change_that_a_static_part_hides(trace: Any) -> None:
    moving = np.sin(np.arange(T))[:, None, None, None] * np.ones((C, S, S))
    trace.kernels = np.float32(1000 * np.ones((C, S, S)) + moving)
    assert similarity(trace).values.min() > 0.999
    centred = similarity(trace, centred=True).values
    sides = np.sign(np.sin(np.arange(T)) - np.sin(np.arange(T)).mean())
    np.testing.assert_allclose(centred, np.outer(sides, sides), atol=1e-3)


@pytest.mark.filterwarnings("error")
def test_a_kernel_without_a_direction_is_nan_and_spoils_no_other(trace: Any) -> None:
    whole = similarity(trace).values
    trace.kernels[3] = 0
    trace.kernels[7, 2, 1, 1] = np.nan
    bad = np.zeros((T, T), bool)
    bad[[3, 7]] = bad[:, [3, 7]] = True
    found = similarity(trace).values
    assert (np.isnan(found) == bad).all()
    np.testing.assert_allclose(found[~bad], whole[~bad], atol=1e-6)
    centred = similarity(trace, centred=True).values
    assert (np.isnan(centred).all(0) == np.isnan(trace.kernels).any((1, 2, 3))).all()
    scores = principal_components(trace).scores
    assert np.isnan(scores[7]).all() and np.isfinite(np.delete(scores, 7, 0)).all()


@pytest.mark.filterwarnings("error")
def test_kernels_that_never_change_have_no_direction_of_change(trace: Any) -> None:
    trace.kernels[:] = trace.kernels[0]
    assert np.isnan(similarity(trace, centred=True).values).all()
    found = principal_components(trace)
    assert not found.scores.any() and not found.shares.any()
    assert largest_jumps(drift(trace, WRIST) > 1e-5) == []


@pytest.mark.parametrize("joint", [None, WRIST])
def test_principal_components_are_numpys_svd(trace: Any, joint: str | None) -> None:
    kernels = trace.kernels.astype(float)
    if joint:
        kernels = kernels * trace.readout[trace.skeleton.index(joint)][:, None, None]
    flat = (kernels - kernels.mean(0)).reshape(T, -1)
    u, s, _ = np.linalg.svd(flat, full_matrices=False)
    expected = u[:, :3] * s[:3]
    expected *= np.sign(expected[np.abs(expected).argmax(0), range(3)])
    found = principal_components(trace, 3, joint)
    np.testing.assert_allclose(found.scores, expected, atol=1e-4 * s[0])
    np.testing.assert_allclose(found.shares, s[:3] ** 2 / (s**2).sum(), rtol=1e-5)


def test_components_that_are_not_there_are_zero() -> None:
    made: Any = FakeTrace(2, channels=13)
    found = principal_components(made, 3)
    assert found.scores.shape == (2, 3) and not found.scores[:, 1:].any()
    np.testing.assert_allclose(found.shares, [1, 0, 0], atol=1e-6)
    single: Any = FakeTrace(1, channels=13)
    assert principal_components(single).scores.tolist() == [[0, 0]]


def test_drift_is_one_minus_the_cosine_below_the_diagonal(trace: Any) -> None:
    for joint in (None, WRIST):
        below = 1 - np.diag(similarity(trace, joint).values, -1)
        np.testing.assert_allclose(drift(trace, joint), [0, *below], atol=1e-6)


def test_largest_jumps_keep_apart() -> None:
    curve = np.zeros(40)
    curve[[10, 12, 30, 20, 39]] = [5, 4, 3, np.nan, 1]
    assert largest_jumps(curve) == [10, 30, 39]
    assert largest_jumps(curve, count=4, apart=2) == [10, 12, 30, 39]


def test_three_times_the_median_is_a_jump_and_less_is_not() -> None:
    curve = np.full(40, 0.1)
    curve[[7, 20]] = [0.29, 0.31]
    assert largest_jumps(curve) == [20]
    assert largest_jumps(curve, least=2) == [20, 7]


@pytest.mark.parametrize(("n", "at_most"), [(1, 5), (5, 5), (6, 5), (1000, 7)])
def test_samples_are_even_and_have_both_ends(n: int, at_most: int) -> None:
    frames = sample_frames(n, at_most)
    assert len(frames) == min(n, at_most) and frames[0] == 0 and frames[-1] == n - 1
    assert len(frames) < 3 or np.ptp(np.diff(frames)) <= 1


def test_a_long_clip_is_sampled_and_says_so(trace: Any) -> None:
    whole, found = similarity(trace).values, similarity(trace, at_most=4)
    assert found.rows.tolist() == [0, 3, 7, 10]
    np.testing.assert_allclose(found.values, whole[np.ix_(found.rows, found.columns)], atol=1e-6)
    assert principal_components(trace, at_most=4).frames.tolist() == [0, 3, 7, 10]


def test_two_clips_of_one_model_are_compared_frame_by_frame(trace: Any) -> None:
    other: Any = FakeTrace(T - 4, channels=C)
    found = compare_kernels(trace, other)
    assert found.values.shape == (T, T - 4)
    for s, t in ((0, 0), (3, 6), (10, 2)):
        assert found.values[s, t] == pytest.approx(cosine(trace.kernels[s], other.kernels[t]), abs=1e-6)
    np.testing.assert_allclose(compare_kernels(other, trace).values, found.values.T, atol=1e-6)
    for centred in (False, True):
        itself = compare_kernels(trace, trace, WRIST, centred=centred).values
        np.testing.assert_allclose(itself, similarity(trace, WRIST, centred=centred).values, atol=1e-6)


@pytest.mark.parametrize("other", [{"side": 5}, {"channels": 13}, {"seed": 1}])
def test_two_models_are_not_compared_channel_by_channel(trace: Any, other: dict) -> None:
    with pytest.raises(ConfigError, match="structure_correlation"):
        compare_kernels(trace, FakeTrace(T, **{"channels": C, **other}))


def test_the_structure_of_a_model_with_shuffled_channels_is_the_same(trace: Any) -> None:
    twin: Any = FakeTrace(T, channels=C)
    twin.kernels = 3 * trace.kernels[:, ::-1]
    assert structure_correlation(trace, twin) == pytest.approx(1, abs=1e-5)
    twin.kernels = np.random.default_rng(1).standard_normal((T, 5, 3, 3))  # of another shape
    found = structure_correlation(trace, twin)
    triangles = [[similarity(x).values[s, t] for s in range(T) for t in range(s + 1, T)] for x in (trace, twin)]
    assert found == pytest.approx(np.corrcoef(triangles)[0, 1], abs=1e-6) and abs(found) < 0.5


def test_a_structure_needs_the_same_frames_and_some_variance(trace: Any) -> None:
    shorter: Any = FakeTrace(T - 1, channels=C)
    with pytest.raises(ShapeError, match="same frames, got 11 and 10"):
        structure_correlation(trace, shorter)
    assert np.isnan(structure_correlation(FakeTrace(2), FakeTrace(2)))


def test_reliance_is_the_share_of_each_channel_at_the_peak(trace: Any) -> None:
    seen: list[tuple[int, int]] = []
    found = channel_reliance(trace, WRIST, progress=lambda done, of: seen.append((done, of)))
    assert found.frames.tolist() == list(range(1, T))  # nothing was matched in frame 0
    assert seen == [(n, T - 1) for n in range(1, T)]
    j = trace.skeleton.index(WRIST)
    for row, t in zip(found.shares, found.frames, strict=True):
        y, x = np.unravel_index(trace.heatmaps[t, j].argmax(), trace.heatmaps.shape[2:])
        sizes = [abs(float(part[y, x])) for part in trace.contributions(t, WRIST)]
        np.testing.assert_allclose(row, np.array(sizes) / sum(sizes), atol=1e-6)
    np.testing.assert_allclose(found.shares.sum(1), 1, atol=1e-5)


def test_stopped_reliance_covers_the_whole_clip_coarsely() -> None:
    made: Any = FakeTrace(41)
    looks = iter([False] * 5 + [True] * 99)
    found = channel_reliance(made, WRIST, cancel=lambda: next(looks))
    assert len(found.frames) == 5 and np.diff(found.frames).max() <= 17
    assert found.frames.min() < 10 and found.frames.max() > 20
    assert channel_reliance(FakeTrace(1), WRIST).shares.shape == (0, 26)


def test_reinitialised_frames_have_no_reliance() -> None:
    made: Any = FakeTrace(9, lost=(4,))
    again = made.retrace(Reinitialise())
    assert channel_reliance(again, WRIST).frames.tolist() == [1, 2, 3, 5, 6, 7, 8]


def test_top_channels_by_mean_share() -> None:
    shares = np.array([[0.1, 0.5, 0.4], [0.3, 0.2, 0.5], [np.nan] * 3])
    assert top_channels(shares).tolist() == [2, 1, 0]
    assert top_channels(shares, 1).tolist() == [2]
    assert len(top_channels(np.zeros((0, 3)))) == 3


@pytest.mark.parametrize("figure", [similarity, drift, principal_components, lambda t: channel_reliance(t, 0)])
def test_a_model_without_kernels_is_an_error_that_says_so(figure: Any) -> None:
    with pytest.raises(ConfigError, match="expected a model with kernels, got numpy-double"):
        figure(FakeTrace(4, channels=0))


def test_on_the_shipped_model_and_clip() -> None:
    clip = Clip(get_sample("rendered_walk").path)
    box = get_sample("rendered_walk").box
    made = Trace(load_model("dkd-mobilenetv2"), clip, box, stop=4, progress=False)
    found = similarity(made)
    np.testing.assert_allclose(np.diag(found.values), 1, atol=1e-6)
    np.testing.assert_allclose(1 - np.diag(found.values, -1), drift(made)[1:], atol=2e-6)
    reliance = channel_reliance(made, WRIST)
    assert reliance.shares.shape == (3, made.kernels.shape[1])
    np.testing.assert_allclose(reliance.shares.sum(1), 1, atol=1e-5)
    assert principal_components(made).shares[0] > 0


# ---- what travels


def test_the_matrix_travels_with_path_and_drift(trace: Any) -> None:
    content = read_message(*render_matrix(trace, None, WRIST, False))
    expected = similarity(trace, WRIST)
    np.testing.assert_array_equal(content["values"], expected.values)
    assert content["rows"].tolist() == content["columns"].tolist() == list(range(T))
    np.testing.assert_array_equal(content["drift"], drift(trace, WRIST))
    components = principal_components(trace, joint=WRIST)
    np.testing.assert_array_equal(content["scores"], components.scores)
    assert content["frames"].tolist() == list(range(T))
    assert {content[name].dtype.name for name in ("values", "drift", "scores")} == {"float32"}
    assert {content[name].dtype.name for name in ("rows", "columns", "frames")} == {"int32"}
    off = expected.values[~np.eye(T, dtype=bool)]
    assert content["joint"] == WRIST and content["other"] is None
    assert content["range"] == pytest.approx([off.min(), 1]) and content["shares"] == pytest.approx(components.shares)
    assert content["jumps"] == largest_jumps(drift(trace, WRIST))
    assert render_matrix(trace, None, None, True)[0]["range"] == [-1, 1]


def test_two_clips_travel_with_the_other_one_in_the_rows(trace: Any) -> None:
    other: Any = FakeTrace(T - 4, channels=C, name="second person")
    content = read_message(*render_matrix(trace, other, None, False))
    np.testing.assert_array_equal(content["values"], compare_kernels(other, trace).values)
    assert content["other"] == "second person"


def test_a_matrix_without_any_direction_still_has_a_scale(trace: Any) -> None:
    trace.kernels[:] = 0
    low, high = render_matrix(trace, None, None, False)[0]["range"]
    assert low < high == 1


def test_pictures_are_of_their_frames(trace: Any) -> None:
    other: Any = FakeTrace(30, channels=C)
    for second, s in ((None, 3), (other, 29)):
        content = read_message(*render_pictures(trace, second, s, 8))
        shown = [cv2.imdecode(np.frombuffer(b, np.uint8), cv2.IMREAD_COLOR) for b in content["images"]]
        assert [read_number(p) for p in shown if p is not None] == [s, 8] == [content["s"], content["t"]]
    with pytest.raises(FrameIndexError, match="0..10"):
        render_pictures(trace, None, T, 0)


def test_reliance_travels_as_top_channels_and_the_rest(trace: Any) -> None:
    full = channel_reliance(trace, WRIST)
    content = read_message(*render_reliance(full, WRIST))
    rows = content["shares"]
    assert rows.shape == (13, T - 1) and rows.dtype == np.float32
    assert content["channels"] == top_channels(full.shares).tolist()
    np.testing.assert_allclose(rows[:12], full.shares[:, content["channels"]].T)
    np.testing.assert_allclose(rows.sum(0), 1, atol=1e-5)
    assert content["frames"].tolist() == full.frames.tolist()
    few: Any = FakeTrace(4, channels=5)
    content = read_message(*render_reliance(channel_reliance(few, WRIST), WRIST))
    assert len(content["channels"]) == 5 and content["shares"].shape == (5, 3)  # no rest


# ---- the view


class Browser:
    """What a view sends, and a way to say what a browser says."""

    def __init__(self, view: Lineage):
        self.view = view
        self.heard: list[tuple[dict, list[bytes]]] = []
        view.send = lambda content, buffers=None: self.heard.append((content, buffers or []))

    def say(self, **content: Any) -> None:
        self.view._handle_custom_msg(content, [])

    def wait(self, kind: str, **wanted: Any) -> dict:
        """Wait for the first message of this kind with these entries; the timeout only bounds a hang."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for content, _ in list(self.heard):
                if content["type"] == kind and all(content[name] == value for name, value in wanted.items()):
                    return content
            time.sleep(0.01)
        said = [content for content, _ in self.heard]
        raise AssertionError(f"expected {kind} {wanted}, heard {said}; error {self.view._error!r}")


def test_it_answers_and_follows_the_choice_the_joint_and_the_toggle(trace: Any) -> None:
    view = Lineage(trace)
    browser = Browser(view)
    browser.say(type="hello")
    browser.wait("matrix", joint="", centred=False, generation=0)
    view.centred = True
    browser.wait("matrix", joint="", centred=True)
    view.kernel = "selected"
    browser.wait("matrix", joint=view.joint, centred=True)
    view.joint = "head"
    browser.wait("matrix", joint="head")
    view.kernel = "right_knee"
    browser.wait("matrix", joint="right_knee")
    browser.say(type="pictures", s=2, t=5)
    browser.wait("pictures", s=2, t=5)
    view.close()
    assert view._error == ""


def test_reliance_is_computed_on_request_follows_the_joint_and_is_kept(trace: Any) -> None:
    view = Lineage(trace)
    browser = Browser(view)
    browser.say(type="hello")
    view.reliance = True
    assert browser.wait("reliance", joint=WRIST)["complete"]
    view.joint = "head"
    browser.wait("reliance", joint="head")
    browser.heard.clear()
    trace.contributions = None  # it is not asked again
    view.joint = WRIST
    browser.wait("reliance", joint=WRIST)
    view.close()
    assert view._error == ""


def test_reliance_can_be_stopped_and_shows_the_results_so_far(trace: Any) -> None:
    view, go_on = Lineage(trace), threading.Event()
    browser, real = Browser(view), trace.contributions
    trace.contributions = lambda t, joint: (go_on.wait(60), real(t, joint))[1]
    view.reliance = True
    browser.say(type="stop")
    go_on.set()
    stopped = browser.wait("reliance", joint=WRIST)
    assert not stopped["complete"]
    browser.heard.clear()
    browser.say(type="again")
    assert browser.wait("reliance", joint=WRIST, complete=True)
    view.close()


def test_an_error_while_computing_is_shown(trace: Any) -> None:
    view = Lineage(trace)
    browser = Browser(view)

    def fail(t: int, joint: Any) -> None:
        raise DKDError("the file is gone")

    trace.contributions = fail
    view.reliance = True
    browser.wait("failed", what="reliance")
    assert "the file is gone" in view._error
    browser.say(type="pictures", s=0, t=99)
    assert "expected a frame" in view._error
    view.close()


def test_a_bad_choice_is_refused(trace: Any) -> None:
    gc.collect()
    before = set(ipywidgets.widgets.widget._instances)
    with pytest.raises(ConfigError, match="did you mean 'left_wrist'"):
        Lineage(trace, kernel="left_wirst")
    with pytest.raises(ConfigError, match="structure_correlation"):
        Lineage(trace, other=FakeTrace(T, channels=13))
    with pytest.raises(TypeError, match="did you mean 'centred'"):
        Lineage(trace, centered=True)
    assert set(ipywidgets.widgets.widget._instances) == before
    view = Lineage(trace)
    with pytest.raises(ConfigError, match="did you mean 'head'"):
        view.kernel = "heat"
    assert view.kernel == "whole"
    view.close()


def test_it_shares_the_feed_of_views_on_its_cursor(trace: Any) -> None:
    cursor = Cursor.for_trace(trace)
    player, view = Player(trace, cursor=cursor), Lineage(trace, cursor=cursor)
    assert view._feed is player._feed and view.cursor is cursor
    another = FakeTrace(T, channels=C, seed=3)
    browser = Browser(view)
    view._feed.set_trace(another)
    browser.say(type="hello")
    browser.wait("matrix", generation=1)
    for part in (view, player):
        part.close()
    cursor.close()


def test_a_model_without_kernels_opens_without_computing() -> None:
    view = Lineage(FakeTrace(4, channels=0), kernel="selected")
    browser = Browser(view)
    browser.say(type="hello")
    view.reliance = view.centred = True
    view.joint = "head"
    assert browser.heard == [] and view._error == ""
    view.close()
    clip: Any = FakeTrace(3).clip
    per_frame = Trace(build_model("simple-baseline-tiny", input_size=128), clip, (40, 20, 200, 220), progress=False)
    Lineage(per_frame).close()


def test_opening_and_closing_frees_all() -> None:
    gc.collect()
    before, alive = set(ipywidgets.widgets.widget._instances), []
    for _ in range(5):
        own: Any = FakeTrace(4, channels=13)
        view = Lineage(own, kernel="selected")
        view.on_frame(lambda frame: None)
        browser = Browser(view)
        browser.say(type="hello")
        browser.wait("matrix")
        alive += [weakref.ref(own), weakref.ref(view)]
        view.close()
        view.close()
    threads = [t for t in threading.enumerate() if t.name == "lineage"]
    for thread in threads:
        thread.join(60)
    del own, view, browser
    gc.collect()
    assert set(ipywidgets.widgets.widget._instances) == before
    assert [reference for reference in alive if reference() is not None] == []
