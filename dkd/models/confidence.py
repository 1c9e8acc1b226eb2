"""How sure may one be of a joint? From the height of its map's peak to a probability, and how far that can be trusted.

A *hit*, everywhere in this module: the joint lies within ``alpha`` (0.1) × the larger side of the person's box of its
label. *Confidence* is the probability of a hit. A network's raw scores are no probabilities (Guo et al. 2017), but a
higher peak is a better sign: so one monotone curve, fitted on labelled people, turns scores into probabilities.

One curve serves all joints of a model (our decision). What it is asked for is a mean over joints; a curve a joint would
need thirteen times the labels, and the joints that are hardest to find have the fewest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dkd.errors import CheckpointError, ConfigError, DatasetError, ShapeError, nearest_name

if TYPE_CHECKING:
    import pandas as pd

    from dkd.models.base import VideoPoseModel

ALPHA = 0.1  # a hit lies within this × the larger side of the person's box
BINS = 20  # of equal count, before they are made monotone: so many knots at most, and one at 0
KEY = "confidence"  # where a checkpoint's provenance has it
MEANS = "probability that the joint lies within alpha x the larger side of the person's box"
_Z = 1.959964  # of the standard normal distribution: 95 % lie within


@dataclass(frozen=True)
class Calibration:
    """A monotone, piecewise linear curve from scores to confidence; beyond its ends it is constant.

    Attributes:
        scores: K ≥ 1 knots, heights of peaks, strictly ascending.
        probabilities: K values in 0..1, nowhere falling.
        alpha: share of the larger side of the person's box within which a joint counts as found, > 0.
        data: names of the sources that it was fitted on.
        n: joints that it was fitted on.
        ece: expected calibration error on those same joints, which flatters it; None where it was not measured.

    Raises:
        ConfigError: the knots are no such curve.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    alpha: float
    data: tuple[str, ...]
    n: int
    ece: float | None = None

    def __post_init__(self) -> None:
        x, y = (np.asarray(v, np.float64) for v in (self.scores, self.probabilities))
        if x.ndim != 1 or not len(x) or x.shape != y.shape or not np.isfinite(x).all() or (np.diff(x) <= 0).any():
            raise ConfigError(
                f"expected at least one score, ascending, and as many probabilities, got {x.tolist()} and {y.tolist()}"
            )
        if not ((y >= 0) & (y <= 1)).all() or (np.diff(y) < 0).any():
            raise ConfigError(f"expected probabilities in 0..1 that nowhere fall, got {y.tolist()}")
        if not (self.alpha > 0 and self.n > 0):
            raise ConfigError(f"expected alpha > 0 and n > 0 joints, got {self.alpha} and {self.n}")

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Scores of any shape → float32 in 0..1 of the same shape; NaN stays NaN."""
        return np.interp(np.asarray(scores, np.float64), self.scores, self.probabilities).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; ``means`` says in words what the numbers are."""
        values = asdict(self)
        return {"means": MEANS, **values, **{k: list(values[k]) for k in ("scores", "probabilities", "data")}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: a key is missing or unknown, or a value is of the wrong kind.
        """
        known = ("scores", "probabilities", "alpha", "data", "n", "ece")
        if not isinstance(values, Mapping):
            raise CheckpointError(f"expected a calibration with {', '.join(known)}, got {values!r}")
        unknown = [name for name in values if name not in (*known, "means")]
        missing = [name for name in known[:-1] if name not in values]
        if unknown or missing:
            problem = f"an unknown {unknown[0]!r}{nearest_name(unknown[0], known)}" if unknown else f"no {missing[0]!r}"
            raise CheckpointError(f"expected a calibration with {', '.join(known)}, got {problem}")
        try:
            return cls(
                tuple(float(v) for v in values["scores"]),
                tuple(float(v) for v in values["probabilities"]),
                float(values["alpha"]),
                tuple(str(v) for v in values["data"]),
                int(values["n"]),
                None if values.get("ece") is None else float(values["ece"]),
            )
        except (TypeError, ValueError) as error:  # a ConfigError is a ValueError
            raise CheckpointError(
                f"the calibration is damaged: {error}; make the checkpoint anew with dkd calibrate"
            ) from error


def calibration_of(model: VideoPoseModel) -> Calibration | None:
    """What the model's checkpoint says of its scores; ``None`` where it says nothing. A control has its model's.

    Raises:
        CheckpointError: it says something that is no calibration.
    """
    stored = model.provenance.get(KEY)
    return None if stored is None else Calibration.from_dict(stored)


def fit_calibration(scores: np.ndarray, hit: np.ndarray, *, data: Sequence[str], alpha: float = ALPHA) -> Calibration:
    """The monotone curve that fits best: isotonic regression of hits on scores, by pooling adjacent violators.

    Scores are sorted into :data:`BINS` bins of equal count, the bins' shares of hits are made monotone (Ayer et al.
    1955; for calibration Zadrozny & Elkan 2002), and each flat piece becomes one knot at its mean score, so that the
    curve rises between them (centred isotonic regression, Oron & Flournoy 2017). Ours: where no score at or below 0 was
    seen, the curve begins with confidence 0 at score 0. On people who are followed well a lost track's low scores do
    not occur, and what was never seen must not be called sure.

    Args:
        scores: (N,) heights of peaks; what is not finite is left out.
        hit: (N,) bool, whether the joint lay within ``alpha`` × the larger side of the box.
        data: names of the sources, to be remembered.
        alpha: what ``hit`` was made with.

    Raises:
        ShapeError: the two have other shapes.
        DatasetError: there is nothing to fit on.
    """
    from scipy.optimize import isotonic_regression

    x, y = _pair(scores, hit)
    values, inverse = np.unique(x, return_inverse=True)  # equal scores stay together
    count = np.bincount(inverse).astype(np.float64)
    hits = np.bincount(inverse, y)
    bins = ((np.cumsum(count) - count / 2) / len(x) * BINS).astype(int)
    starts = np.unique(bins, return_index=True)[1]
    n, hits, total = (np.add.reduceat(v, starts) for v in (count, hits, count * values))
    monotone = isotonic_regression(hits / n, weights=n)
    blocks = monotone.blocks[:-1]
    n, hits, total = (np.add.reduceat(v, blocks) for v in (n, hits, total))
    knots, shares = np.round(total / n, 6), np.clip(hits / n, 0, 1)
    keep = np.diff(knots, prepend=-np.inf) > 0  # rounding may make two of them one
    curve = list(zip(knots[keep].tolist(), np.round(shares[keep], 6).tolist(), strict=True))
    if x.min() > 0 < curve[0][0]:
        curve.insert(0, (0.0, 0.0))
    scores_at, probabilities = zip(*curve, strict=True)
    fitted = Calibration(scores_at, probabilities, alpha, tuple(data), len(x))
    error = expected_calibration_error(fitted(x), y)
    return Calibration(**{**vars(fitted), "ece": round(error, 6)})


# --- can it be trusted? -----------------------------------------------------------------------------------------------


def reliability(confidence: np.ndarray, hit: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """The reliability table: of the joints that were called so and so sure, how many were hits?

    Args:
        confidence: (N,) in 0..1.
        hit: (N,) bool.
        bins: of equal width over 0..1 (Guo et al. 2017), ≥ 1; the last one holds 1.

    Returns:
        a row a bin: ``low, high`` (its ends), ``confidence`` (mean), ``hits`` (share), ``lower, upper`` (Wilson's 95 %
        interval of that share, which takes joints as independent: those of neighbouring frames are not, so it is too
        narrow for videos), ``n``. Means of an empty bin are NaN.

    Raises:
        ShapeError: the two have other shapes, or a confidence lies outside 0..1.
        DatasetError: there is nothing to count.
    """
    import pandas as pd

    x, y, which = _binned(confidence, hit, bins)
    n = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean, share = (np.bincount(which, v, bins) / n for v in (x, y))
    lower, upper = wilson_interval(share * n, n)
    edges = np.arange(bins + 1) / bins
    columns = {"low": edges[:-1], "high": edges[1:], "confidence": mean, "hits": share, "lower": lower, "upper": upper}
    return pd.DataFrame({**columns, "n": n})


def expected_calibration_error(confidence: np.ndarray, hit: np.ndarray, bins: int = 10) -> float:
    """ECE = Σ_b n_b / N · |hits_b − confidence_b| (Naeini et al. 2015; Guo et al. 2017, eq. 3); 0 is best, 1 worst.

    Arguments and errors as in :func:`reliability`.
    """
    x, y, which = _binned(confidence, hit, bins)
    return float(np.abs(np.bincount(which, y - x, bins)).sum() / len(x))


def brier_score(confidence: np.ndarray, hit: np.ndarray) -> float:
    """Mean of (confidence − hit)² (Brier 1950, for two classes, halved); 0 is best; always saying 0.5 gives 0.25.

    Unlike the ECE it also counts how well hits and misses are told apart. Arguments and errors as in
    :func:`reliability`.
    """
    x, y, _ = _binned(confidence, hit, 1)
    return float(((x - y) ** 2).mean())


def wilson_interval(hits: np.ndarray, n: np.ndarray, z: float = _Z) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval (1927) of a share: (p + z²/2n ± z·sqrt(p(1 − p)/n + z²/4n²)) / (1 + z²/n).

    Args:
        hits, n: counts, of one shape; of no trials the interval is 0..1.
        z: of the normal distribution; 95 % by default.

    Returns:
        lower and upper ends, in 0..1.
    """
    n = np.asarray(n, np.float64)
    safe = np.maximum(n, 1)
    p = np.nan_to_num(np.asarray(hits, np.float64)) / safe
    middle = p + z * z / (2 * safe)
    reach = z * np.sqrt(p * (1 - p) / safe + (z / (2 * safe)) ** 2)
    lower, upper = ((middle + sign * reach) / (1 + z * z / safe) for sign in (-1, 1))
    return np.where(n > 0, np.clip(lower, 0, 1), 0.0), np.where(n > 0, np.clip(upper, 0, 1), 1.0)


def _pair(scores: np.ndarray, hit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (N,) float64, without what is not finite."""
    x, y = np.asarray(scores, np.float64), np.asarray(hit)
    if x.shape != y.shape:
        raise ShapeError(f"expected a hit or a miss for each score, got shapes {x.shape} and {y.shape}")
    known = np.isfinite(x)
    if not known.any():
        raise DatasetError("expected labelled joints to count, got none: is anybody labelled, and not hidden?")
    return x[known], y[known].astype(bool).astype(np.float64)


def _binned(confidence: np.ndarray, hit: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence and hits, both (N,) float64, and the bin of each."""
    if bins < 1:
        raise ConfigError(f"expected at least one bin, got {bins}")
    x, y = _pair(confidence, hit)
    if not (x.min() >= 0 and x.max() <= 1):
        raise ShapeError(
            f"expected confidence in 0..1, got {x.min():g}..{x.max():g}; scores are heights of peaks: clip or calibrate"
        )
    edge = math.nextafter(1.0, 0.0)
    return x, y, (np.minimum(x, edge) * bins).astype(int)
