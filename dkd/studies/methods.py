"""A paragraph for the methods section of a paper: what was done, with what, and how much of it."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import dkd
from dkd.errors import ConfigError, nearest_name
from dkd.io.escaping import latex, markdown
from dkd.studies.columns import MEASURE_TITLES

if TYPE_CHECKING:
    import pandas as pd

    from dkd.studies.compare import GroupComparison
    from dkd.studies.study import Study

KINDS: dict[str, Callable[[object], str]] = {"text": str, "markdown": markdown, "latex": latex}
_PACKAGES = {"torch": ("torch",), "onnxruntime": ("onnxruntime",), "openvino": ("openvino",)}  # by engine


def methods(study: Study, clips: pd.DataFrame, kind: str = "text", comparison: GroupComparison | None = None) -> str:
    """Return the paragraph; see :meth:`dkd.Study.methods`."""
    if kind not in KINDS:
        raise ConfigError(f"unknown format {kind!r}{nearest_name(str(kind), KINDS)} Known: {', '.join(KINDS)}.")
    if comparison is not None and not hasattr(comparison, "differences"):
        raise ConfigError(f"expected a comparison of study.compare(…), got {comparison!r}")
    sentences = [*_tracked(study, clips), *_failed(study, clips), *_measured(clips), *_compared(comparison)]
    return KINDS[kind](" ".join(sentences))


def _tracked(study: Study, clips: pd.DataFrame) -> list[str]:
    done = clips[clips["status"] != "failed"]
    videos, frames = done["video"].nunique(), int(done["frames"].sum())
    rates = done["fps"].replace(0, float("nan"))
    minutes = float((done["frames"] / rates).sum()) / 60
    length = "" if not minutes else f", {minutes:,.1f} min" if minutes >= 1 else f", {60 * minutes:.0f} s"
    found = [
        f"{_count(len(done), 'clip')} from {_count(videos, 'video')} ({frames:,} frames{length}) "
        f"{'was' if len(done) == 1 else 'were'} analysed with Dynamic Kernel Distillation (Nie et al., ICCV 2019) as "
        f"implemented in the DKD Workbench {_all(done['version'])}."
    ]
    hashes = sorted(done["model_sha256"].dropna().unique())
    files = f" (SHA-256 of the weights: {', '.join(hashes)})" if hashes else ""
    engines = Counter(done["engine"].dropna())
    ran = " and ".join(f"{name} ({_count(n, 'clip')})" if len(engines) > 1 else name for name, n in engines.items())
    found.append(f"We used the model {study.settings.model}{files}" + (f", computed by {ran}." if ran else "."))
    found.append(f"This paragraph was written with {_software(done)}.")
    names = set(done["name"])
    given = sum(row.box is not None for row in study.rows if row.name in names)
    ways = [(given, "from a given box"), (len(done) - given, "from the most confident person that was found")]
    started = " and ".join(f"{how} ({_count(n, 'clip')})" for n, how in ways if n)
    lost = "was searched for again" if study.settings.reinitialise else "was not searched for again"
    exact = (
        ", and, unlike in the paper, joints were refined by up to two cells of the heatmap with the model's "
        "initializer, which looked at every frame"
        if study.settings.refine
        else ""
    )
    found.append(
        f"Tracking started {started}; the network's square followed the {study.settings.square}, "
        f"{'' if exact else 'and '}a person who was lost {lost}{exact}."
    )
    return found


def _failed(study: Study, clips: pd.DataFrame) -> list[str]:
    found = []
    n_partial, n_waiting = int((clips["status"] == "partial").sum()), len(study) - len(clips)
    kinds = Counter(str(error).partition(":")[0] for error in clips.loc[clips["status"] == "failed", "error"])
    n_failed = sum(kinds.values())
    reasons = ", ".join(f"{n} {name}" for name, n in kinds.most_common())
    failed = f"{_count(n_failed, 'clip')} could not be analysed ({reasons})" if n_failed else "No clip failed"
    partly = f"; {_count(n_partial, 'clip')} could be read only up to a damaged frame" if n_partial else ""
    found.append(f"{failed}{partly}.")
    if n_warned := int((clips["warnings"] > 0).sum()):
        videos = "had a video" if n_warned == 1 else "had videos"
        found.append(f"{_count(n_warned, 'clip')} {videos} with a fault that is noted in the table of clips.")
    if n_waiting:
        found.append(f"{_count(n_waiting, 'clip')} of the study had not been analysed yet.")
    return found


def _measured(clips: pd.DataFrame) -> list[str]:
    known = clips["confidence"].dropna()
    found = []
    if len(known):
        found.append(
            "Confidence is the model's calibrated probability that a joint was found, averaged over the joints and "
            f"frames of a clip (median over clips {known.median():.3f}, range {known.min():.3f} to {known.max():.3f})."
        )
    labelled = clips[clips["labelled_joints"].fillna(0) > 0]
    if len(labelled):
        n = labelled["labelled_joints"]
        pooled = [
            f"PCK@{alpha} {float((labelled[name] * n).sum() / n.sum()):.3f}"
            for name, alpha in (("pck_20", 0.2), ("pck_10", 0.1), ("pck_05", 0.05))
        ]
        found.append(
            f"{_count(len(labelled), 'clip')} had labels ({int(n.sum()):,} visible joints in "
            f"{int(labelled['labelled_frames'].sum()):,} frames). The percentage of correct keypoints, relative to the "
            f"larger side of the labelled joints' box in each frame and pooled over joints, was {', '.join(pooled)}."
        )
    return found


def _compared(comparison: GroupComparison | None) -> list[str]:
    if comparison is None:
        return []
    title = MEASURE_TITLES.get(comparison.measure, comparison.measure.replace("_", " "))
    means = "; ".join(
        f"{name}: {_number(row['mean'])} [{_number(row['low'])}, {_number(row['high'])}], {int(row['clips'])} clips"
        for name, row in comparison.groups.iterrows()
    )
    found = [
        f"Groups ({comparison.by}) were compared by the mean over clips of {title} ({means}; 95 % intervals in "
        f"brackets, percentile bootstrap with {comparison.n_resamples} resamples of {comparison.unit}s, seed "
        f"{comparison.seed})."
    ]
    for one in comparison.differences.itertuples(index=False):
        first, second, value, low, high, paired, n_both = one
        how = f"paired, {_count(n_both, comparison.unit)} in both groups" if paired else "not paired"
        found.append(
            f"The difference {first} − {second} was {_number(value)} [{_number(low)}, {_number(high)}] ({how})."
        )
    return found


def _software(done: pd.DataFrame) -> str:
    """Return Python and the packages that computed, of this machine."""
    engines = {str(name).partition("-")[0] for name in done["engine"].dropna()}
    packages = ["torch", "av", *(package for name, found in _PACKAGES.items() if name in engines for package in found)]
    parts = [f"Python {platform.python_version()}"]
    for package in dict.fromkeys(packages):
        try:
            parts.append(f"{'PyAV' if package == 'av' else package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(parts)


def _all(versions: pd.Series) -> str:
    return " and ".join(sorted(str(one) for one in versions.dropna().unique())) or dkd.__version__


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
