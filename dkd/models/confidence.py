"""Calibrated confidence: from the height of a map's peak to a probability, and how reliable that probability is.

Everywhere in this module, a *hit* means that the joint is within ``alpha`` (0.1) × the larger side of the person's box
from its label, and *confidence* is the probability of a hit. A network's raw scores are not probabilities (Guo et al.
2017), but a higher peak means a better chance: therefore one monotone curve, fitted on labelled people, converts scores
to probabilities.

All joints of a model share one curve (our decision). It is mostly used for a mean over joints; one curve per joint
would need thirteen times as many labels, and the joints that are hardest to find have the fewest.
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

ALPHA = 0.1  # a hit is within this × the larger side of the person's box
BINS = 20  # of equal count, before pooling: the maximum number of knots, plus one at 0
KEY = "confidence"  # key in a checkpoint's provenance
MEANS = "probability that the joint lies within alpha x the larger side of the person's box"
_Z = 1.959964  # 95 % of the standard normal distribution are within ± this


@dataclass(frozen=True)
class Calibration:
    """A monotone, piecewise linear curve from scores to confidence, constant beyond its ends.

    Attributes:
        scores: positions of the K ≥ 1 knots (heights of peaks), strictly ascending.
        probabilities: K values in 0..1, never decreasing.
        alpha: share of the larger side of the person's box within which a joint counts as found, > 0.
        data: names of the sources on which it was fitted.
        n: number of joints on which it was fitted.
        ece: expected calibration error on those same joints, which is too optimistic; ``None`` if not measured.

    Raises:
        ConfigError: the knots do not form such a curve.
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
            raise ConfigError(f"expected probabilities in 0..1 that never decrease, got {y.tolist()}")
        if not (0 < self.alpha < math.inf and self.n > 0):
            raise ConfigError(f"expected finite alpha > 0 and n > 0 joints, got {self.alpha} and {self.n}")
        if self.ece is not None and not 0 <= self.ece <= 1:
            raise ConfigError(f"expected ece in 0..1, got {self.ece}")

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Convert scores of any shape to float32 confidences in 0..1 of the same shape; NaN stays NaN."""
        return np.interp(np.asarray(scores, np.float64), self.scores, self.probabilities).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data for JSON; ``means`` describes the numbers in words."""
        values = asdict(self)
        return {"means": MEANS, **values, **{k: list(values[k]) for k in ("scores", "probabilities", "data")}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Create a calibration from the result of :meth:`to_dict`.

        Raises:
            CheckpointError: a key is missing or unknown, or a value has the wrong type.
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
        except (TypeError, ValueError, OverflowError) as error:  # a ConfigError is a ValueError
            raise CheckpointError(
                f"the calibration is damaged: {error}; write the checkpoint again with dkd calibrate"
            ) from error


def calibration_of(model: VideoPoseModel) -> Calibration | None:
    """Return the calibration in the model's checkpoint, or ``None``. A control uses that of the model it wraps.

    Raises:
        CheckpointError: what is stored is not a calibration.
    """
    stored = model.provenance.get(KEY)
    return None if stored is None else Calibration.from_dict(stored)


def fit_calibration(scores: np.ndarray, hit: np.ndarray, *, data: Sequence[str], alpha: float = ALPHA) -> Calibration:
    """Fit the best monotone curve: isotonic regression of hits on scores, by pooling adjacent violators.

    Scores are sorted into :data:`BINS` bins of equal count, the bins' hit rates are made monotone (Ayer et al. 1955;
    for calibration Zadrozny & Elkan 2002), and each flat piece becomes one knot at its mean score, so that the curve
    rises between knots (centred isotonic regression, Oron & Flournoy 2017). Our addition: if no score at or below 0
    occurs, the curve starts with confidence 0 at score 0. Data in which people are tracked well do not contain the low
    scores of a lost track, and such unseen scores must not get a high confidence.

    Args:
        scores: (N,) heights of peaks; values that are not finite are ignored.
        hit: (N,) bool, whether the joint is within ``alpha`` × the larger side of the box.
        data: names of the sources, stored with the calibration.
        alpha: threshold with which ``hit`` was computed.

    Raises:
        ShapeError: the two arrays differ in shape.
        DatasetError: there is no data to fit.
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
    keep = np.diff(knots, prepend=-np.inf) > 0  # rounding may merge two of them
    curve = list(zip(knots[keep].tolist(), np.round(shares[keep], 6).tolist(), strict=True))
    if x.min() > 0 < curve[0][0]:
        curve.insert(0, (0.0, 0.0))
    scores_at, probabilities = zip(*curve, strict=True)
    fitted = Calibration(scores_at, probabilities, alpha, tuple(data), len(x))
    error = expected_calibration_error(fitted(x), y)
    return Calibration(**{**vars(fitted), "ece": round(error, 6)})


# --- reliability ------------------------------------------------------------------------------------------------------


def reliability(confidence: np.ndarray, hit: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """Compute the reliability table: the share of hits among the joints with a similar confidence.

    Args:
        confidence: (N,) in 0..1.
        hit: (N,) bool.
        bins: of equal width over 0..1 (Guo et al. 2017), ≥ 1; the last one holds 1.

    Returns:
        One row per bin: ``low, high`` (its ends), ``confidence`` (mean), ``hits`` (share), ``lower, upper`` (Wilson's
        95 % interval of that share, which assumes that joints are independent: those of neighbouring frames are not, so
        it is too narrow for videos), ``n``. Means of an empty bin are NaN.

    Raises:
        ShapeError: the two arrays differ in shape, or a confidence is outside 0..1.
        DatasetError: there are no labelled joints.
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
    """Compute the ECE = Σ_b n_b / N · |hits_b − confidence_b| (Naeini et al. 2015; Guo et al. 2017, eq. 3): 0..1, 0 is
    best.

    Arguments and errors as in :func:`reliability`.
    """
    x, y, which = _binned(confidence, hit, bins)
    return float(np.abs(np.bincount(which, y - x, bins)).sum() / len(x))


def brier_score(confidence: np.ndarray, hit: np.ndarray) -> float:
    """Compute the mean of (confidence − hit)² (Brier 1950, for two classes, halved); 0 is best, a constant 0.5 gives
    0.25.

    Unlike the ECE, it also measures how well hits and misses are separated. Arguments and errors as in
    :func:`reliability`.
    """
    x, y, _ = _binned(confidence, hit, 1)
    return float(((x - y) ** 2).mean())


def wilson_interval(hits: np.ndarray, n: np.ndarray, z: float = _Z) -> tuple[np.ndarray, np.ndarray]:
    """Compute Wilson's score interval (1927) of a share: (p + z²/2n ± z·sqrt(p(1 − p)/n + z²/4n²)) / (1 + z²/n).

    Args:
        hits, n: counts, of the same shape; without trials the interval is 0..1.
        z: quantile of the normal distribution; 95 % by default.

    Returns:
        Lower and upper ends, in 0..1.
    """
    n = np.asarray(n, np.float64)
    safe = np.maximum(n, 1)
    p = np.nan_to_num(np.asarray(hits, np.float64)) / safe
    middle = p + z * z / (2 * safe)
    reach = z * np.sqrt(p * (1 - p) / safe + (z / (2 * safe)) ** 2)
    lower, upper = ((middle + sign * reach) / (1 + z * z / safe) for sign in (-1, 1))
    return np.where(n > 0, np.clip(lower, 0, 1), 0.0), np.where(n > 0, np.clip(upper, 0, 1), 1.0)


def _pair(scores: np.ndarray, hit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as (N,) float64, without entries that are not finite."""
    x, y = np.asarray(scores, np.float64), np.asarray(hit)
    if x.shape != y.shape:
        raise ShapeError(f"expected one hit or miss for each score, got shapes {x.shape} and {y.shape}")
    known = np.isfinite(x)
    if not known.any():
        raise DatasetError("expected labelled joints, got none: are there people with labels that are not hidden?")
    return x[known], y[known].astype(bool).astype(np.float64)


def _binned(confidence: np.ndarray, hit: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return confidence and hits, both (N,) float64, and the bin of each."""
    if bins < 1:
        raise ConfigError(f"expected at least one bin, got {bins}")
    x, y = _pair(confidence, hit)
    if not (x.min() >= 0 and x.max() <= 1):
        raise ShapeError(
            f"expected confidence in 0..1, got {x.min():g}..{x.max():g}; scores are heights of peaks: clip or calibrate"
        )
    edge = math.nextafter(1.0, 0.0)
    return x, y, (np.minimum(x, edge) * bins).astype(int)
