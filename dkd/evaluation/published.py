"""Figures as published by others. They stand beside what is measured here, in columns of their own, never mixed.

They were measured on other machines, with other weights, on the whole data sets, and are not results of this project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Model → column → figure. PCK@0.2 of max(w, h) of the box in %, the mean that each paper prints (DKD: of 13 joints;
# LSTM Pose Machines on Sub-JHMDB: of 7 columns). GMACs and ms a frame: what the DKD paper's comparison gives, as others
# report it.
FIGURES: dict[str, dict[str, float]] = {
    "dkd-resnet50": {"Penn Action PCK@0.2": 97.8, "Sub-JHMDB PCK@0.2": 94.0, "ms": 11.0},
    "lstm-pm": {"Penn Action PCK@0.2": 97.7, "Sub-JHMDB PCK@0.2": 93.6, "GMACs": 70.98, "ms": 25.0},
}
SOURCES = (
    "DKD: Nie et al., ICCV 2019; LSTM Pose Machines: Luo et al., CVPR 2018; GMACs and ms: their comparison on a GPU, "
    "as reported by others"
)


def published() -> pd.DataFrame:
    """The figures, a row a model; NaN where none is known."""
    import pandas as pd

    return pd.DataFrame.from_dict(FIGURES, orient="index")
