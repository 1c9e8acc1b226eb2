"""Results published by others, shown in separate columns next to results measured here, never mixed.

They were measured on other machines, with other weights, on the complete data sets, and are not results of this
project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Model → column → value. PCK@0.2 of max(w, h) of the box in %, the mean reported in each paper (DKD: over 13 joints;
# LSTM Pose Machines on Sub-JHMDB: over 7 columns). GMACs and ms per frame: the DKD paper's comparison, as reported by
# others.
FIGURES: dict[str, dict[str, float]] = {
    "dkd-resnet50": {"Penn Action PCK@0.2": 97.8, "Sub-JHMDB PCK@0.2": 94.0, "ms": 11.0},
    "lstm-pm": {"Penn Action PCK@0.2": 97.7, "Sub-JHMDB PCK@0.2": 93.6, "GMACs": 70.98, "ms": 25.0},
}
SOURCES = (
    "DKD: Nie et al., ICCV 2019; LSTM Pose Machines: Luo et al., CVPR 2018; GMACs and ms: their comparison on a GPU, "
    "as reported by others"
)


def published() -> pd.DataFrame:
    """Return the published results, one row per model; NaN if unknown."""
    import pandas as pd

    return pd.DataFrame.from_dict(FIGURES, orient="index")
