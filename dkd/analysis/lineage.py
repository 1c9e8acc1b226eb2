"""Kernels over time: which frames have similar kernels, where they change, and which channels matter.

All of this is ours, not the paper's: the kernels K̃_t of a frame are one vector of C·S² numbers, and frames are
compared as such vectors. A joint's *effective* kernel is U[j, c] · K̃_t[c], the part that its map uses. A long clip is
sampled evenly, so that the cost does not grow with its length; results include their frame numbers. Undefined values
are NaN, never 0, such as the direction of a kernel that is zero or not finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dkd.errors import ConfigError, ShapeError, checked

if TYPE_CHECKING:
    from dkd.tracking.protocols import TraceLike

N_MAX = 600  # frames that are compared with each other: 30 MB of kernels with 128 channels
N_ENCODED = 60  # frames that channel_reliance encodes again, about 30 ms each on two cores
RESOLUTION = 1e-6  # kernels with a smaller relative difference to their mean differ only by float32 rounding


class Similarity(NamedTuple):
    """Cosines of kernels, with their frames.

    Attributes:
        values: (n, m) float32 in −1..1; NaN if a kernel has no direction.
        rows: (n,) frames of the rows.
        columns: (m,) frames of the columns.
    """

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


class Components(NamedTuple):
    """Principal components of kernels.

    Attributes:
        scores: (n, k) float32, one point per frame, in the unit of the kernels; NaN if a kernel is not finite.
        shares: (k,) float32 in 0..1, share of the variance over time along each axis.
        frames: (n,) frames of the points.
    """

    scores: np.ndarray
    shares: np.ndarray
    frames: np.ndarray


class Reliance(NamedTuple):
    """Share of a joint's evidence that comes from each channel.

    Attributes:
        shares: (n, C) float32 in 0..1, each row sums to 1; NaN if no channel contributed.
        frames: (n,) frames of the rows, ascending.
    """

    shares: np.ndarray
    frames: np.ndarray


def sample_frames(n_frames: int, at_most: int = N_MAX) -> np.ndarray:
    """Sample up to ``at_most`` of the frames 0..n−1 evenly, including the first and the last one."""
    return np.unique(np.linspace(0, n_frames - 1, min(n_frames, at_most)).round().astype(int))


def similarity(
    trace: TraceLike, joint: str | int | None = None, *, centred: bool = False, at_most: int = N_MAX
) -> Similarity:
    """Compute cos(K̃_s, K̃_t) for all pairs of frames: 1 on the diagonal, symmetric, invariant to positive scaling.

    Args:
        joint: compare this joint's effective kernels U[j, c] · K̃[c]; by default the complete kernels.
        centred: subtract the mean kernel of the clip (of its sampled frames) first. A part that is the same in all
            frames makes all of them similar; the rest is the change, whose cosine can be read as a correlation: 1 is
            the same change, 0 unrelated, −1 the opposite.
        at_most: maximum number of frames to compare.

    Raises:
        ConfigError: the model has no kernels, or there is no such joint.
    """
    frames = sample_frames(len(trace), at_most)
    unit = _directions(_vectors(trace, joint, frames, centred))
    return Similarity(_cosines(unit, unit), frames, frames)


@checked
def compare_kernels(
    trace_a: TraceLike,
    trace_b: TraceLike,
    joint: str | int | None = None,
    *,
    centred: bool = False,
    at_most: int = N_MAX,
) -> Similarity:
    """Compute cos(K̃^a_s, K̃^b_t) for two clips, or two people, with one model; rows belong to ``trace_a``.

    Args:
        joint, centred, at_most: as for :func:`similarity`; each clip's own mean kernel is subtracted, so that similar
            movements of different people are similar.

    Raises:
        ConfigError: a model has no kernels, or the models differ: see :func:`check_comparable`.
    """
    check_comparable(trace_a, trace_b)
    rows, columns = (sample_frames(len(trace), at_most) for trace in (trace_a, trace_b))
    a, b = (_directions(_vectors(t, joint, f, centred)) for t, f in ((trace_a, rows), (trace_b, columns)))
    return Similarity(_cosines(a, b), rows, columns)


def check_comparable(trace_a: TraceLike, trace_b: TraceLike) -> None:
    """Check that channels have the same meaning in both traces: same shape of kernels and same read-out U.

    Raises:
        ConfigError: the traces come from different models, or from one without kernels.
    """
    shapes = [_check_kernels(trace).kernels.shape[1:] for trace in (trace_a, trace_b)]
    if shapes[0] == shapes[1] and np.array_equal(trace_a.readout, trace_b.readout):
        return
    names = [f"{t.model_name} ({'×'.join(map(str, s))})" for t, s in zip((trace_a, trace_b), shapes, strict=True)]
    raise ConfigError(
        f"expected two traces of one model, got {names[0]} and {names[1]}: channels have different meanings in another "
        "model or another training of it, so their kernels cannot be compared one by one. Trace the same "
        "clip with both and compare which frames are similar in each: dkd.analysis.lineage.structure_correlation"
    )


def structure_correlation(
    trace_a: TraceLike,
    trace_b: TraceLike,
    joint: str | int | None = None,
    *,
    centred: bool = False,
    at_most: int = N_MAX,
) -> float:
    """Correlate the similarity matrices of two models, −1..1: do the same frames have similar kernels?

    This is Pearson's correlation of the upper triangles, without the diagonal, of :func:`similarity` of the same
    frames: representational similarity analysis (Kriegeskorte, Mur & Bandettini 2008, who correlate ranks). Number,
    order and size of channels may differ between the models.

    Returns:
        The correlation; NaN if a matrix has no variance, or fewer than three pairs of frames have a cosine in both.

    Raises:
        ConfigError: a model has no kernels.
        ShapeError: the traces have different numbers of frames; they must cover the same frames.
    """
    if len(trace_a) != len(trace_b):
        raise ShapeError(
            f"expected two traces of the same frames, got {len(trace_a)} and {len(trace_b)}; trace one clip with both "
            "models, up to the same stop"
        )
    matrices = [similarity(t, joint, centred=centred, at_most=at_most).values for t in (trace_a, trace_b)]
    a, b = (matrix[np.triu_indices(len(matrix), 1)].astype(np.float64) for matrix in matrices)
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 3 or np.ptp(a[known]) == 0 or np.ptp(b[known]) == 0:
        return float("nan")
    return float(np.corrcoef(a[known], b[known])[0, 1])


def drift(trace: TraceLike, joint: str | int | None = None) -> np.ndarray:
    """Compute 1 − cos(K̃_t, K̃_{t−1}), (T,) in 0..2, of complete or of a joint's effective kernels; 0 in frame 0.

    Raises:
        ConfigError: the model has no kernels, or there is no such joint.
    """
    _check_kernels(trace)
    if joint is None:
        return trace.kernel_drift()
    out = np.zeros(len(trace), np.float32)
    before = trace.effective_kernel(0, joint).ravel()
    for t in range(1, len(trace)):
        now = trace.effective_kernel(t, joint).ravel()
        out[t] = 1 - now @ before / max(float(np.linalg.norm(now) * np.linalg.norm(before)), 1e-12)
        before = now
    return out


def largest_jumps(curve: np.ndarray, count: int = 3, apart: int = 5, least: float = 3.0) -> list[int]:
    """Find the largest jumps of a drift (T,): largest first, at most ``count``, no two closer than ``apart`` frames.

    Only values of at least ``least`` times the clip's median count: if all frames differ equally, there is no jump.
    """
    values = np.where(np.isfinite(curve), curve, 0.0)
    enough = least * float(np.median(values))
    found: list[int] = []
    for t in np.argsort(-values, kind="stable"):
        if values[t] <= 0 or values[t] < enough or len(found) == count:
            break
        if all(abs(int(t) - other) >= apart for other in found):
            found.append(int(t))
    return found


def principal_components(
    trace: TraceLike, n: int = 2, joint: str | int | None = None, *, at_most: int = N_MAX
) -> Components:
    """Compute principal components of the kernels over time: frames with similar kernels become nearby points.

    They are computed from the eigenvectors of the centred Gram matrix, frames × frames, which is small although C·S² is
    not; this equals the left singular vectors of the centred kernels times their singular values. The arbitrary sign of
    a component is chosen so that its largest score in magnitude is positive.

    Args:
        n: number of components. Missing ones (fewer frames, or no change) are zero.
        joint, at_most: as for :func:`similarity`.

    Raises:
        ConfigError: the model has no kernels, or there is no such joint.
    """
    frames = sample_frames(len(trace), at_most)
    vectors = _vectors(trace, joint, frames, centred=True)
    known = np.isfinite(vectors).all(1)
    gram = vectors[known] @ vectors[known].T
    variances, axes = np.linalg.eigh(gram)
    variances, axes = np.maximum(variances[::-1][:n], 0), axes[:, ::-1][:, :n]
    peaks = axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])] if len(axes) else np.ones(0)
    scores, shares = np.full((len(frames), n), np.nan), np.zeros(n)
    scores[known] = 0
    scores[known, : len(variances)] = axes * np.where(peaks < 0, -1, 1) * np.sqrt(variances)
    shares[: len(variances)] = variances / max(float(np.trace(gram)), np.finfo(float).tiny)
    return Components(scores.astype(np.float32), shares.astype(np.float32), frames)


def channel_reliance(
    trace: TraceLike,
    joint: str | int,
    *,
    at_most: int = N_ENCODED,
    cancel: Callable[[], bool] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Reliance:
    """Compute |contribution| of each channel at the joint's peak, as a share of all channels at that cell.

    Magnitudes are used because contributions cancel: a channel with a negative contribution matters too. Each frame is
    encoded again, which takes about 30 ms; therefore a sample of frames is processed from coarse to fine, so that a
    cancelled run covers the whole clip, only less densely. Frames whose maps come from the initializer have no
    contributions and are left out.

    Args:
        joint: name or index of the joint.
        at_most: maximum number of frames.
        cancel: called before each frame; if it returns true, the results so far are returned.
        progress: called after each frame with the number of frames done and the total.

    Raises:
        ConfigError: the model has no kernels, or there is no such joint.
    """
    kernels, j = _check_kernels(trace).kernels, trace.skeleton.index(joint)
    matched = np.array([t for t in range(len(trace)) if not trace.from_initializer(t)], int)
    frames = matched[sample_frames(len(matched), at_most)] if len(matched) else matched
    done: dict[int, np.ndarray] = {}
    for i in _coarse_to_fine(len(frames)):
        if cancel is not None and cancel():
            break
        t = int(frames[i])
        y, x = np.unravel_index(int(trace.heatmaps[t, j].argmax()), trace.heatmaps.shape[2:])
        size = np.abs(trace.contributions(t, j)[:, y, x])
        done[t] = size / total if (total := float(size.sum())) > 0 else np.full(len(size), np.nan)
        if progress is not None:
            progress(len(done), len(frames))
    seen = sorted(done)
    shares = np.stack([done[t] for t in seen]) if seen else np.zeros((0, kernels.shape[1]))
    return Reliance(shares.astype(np.float32), np.array(seen, int))


def top_channels(shares: np.ndarray, count: int = 12) -> np.ndarray:
    """Return the channels with the largest mean share (n, C), largest first; ties by lower number."""
    known = shares[np.isfinite(shares).all(1)]
    mean = known.mean(0) if len(known) else np.zeros(shares.shape[1])
    return np.argsort(-mean, kind="stable")[:count]


def _check_kernels(trace: TraceLike) -> TraceLike:
    if not trace.kernels.size:
        raise ConfigError(
            f"expected a model with kernels, got {trace.model_name}, which has none; trace a DKD to "
            "see distilled kernels"
        )
    return trace


def _vectors(trace: TraceLike, joint: str | int | None, frames: np.ndarray, centred: bool) -> np.ndarray:
    """Return kernels (n, C·S²) float64 of some frames; one that is not finite becomes all NaN, and is in no mean."""
    kernels = np.array(_check_kernels(trace).kernels[frames], np.float64)
    if joint is not None:
        kernels *= trace.readout[trace.skeleton.index(joint)][:, None, None]
    vectors = kernels.reshape(len(frames), -1)
    known = np.isfinite(vectors).all(1)
    vectors[~known] = np.nan
    if centred and known.any():
        mean = vectors[known].mean(0)
        vectors -= mean
        vectors[np.linalg.norm(vectors, axis=1) <= RESOLUTION * np.linalg.norm(mean)] = 0
    return vectors


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Normalise rows to length 1; NaN for a zero row."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, np.nan)


def _cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.clip(a @ b.T, -1, 1).astype(np.float32)


def _coarse_to_fine(n: int) -> list[int]:
    """Order 0..n−1 so that every prefix is spread over the whole range, by reversed binary digits."""
    digits = max(1, (n - 1).bit_length())
    return sorted(range(n), key=lambda i: format(i, f"0{digits}b")[::-1])
