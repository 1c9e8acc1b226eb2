"""DKD Workbench: see how a video pose model thinks.

    from dkd import Clip, Trace, load_model
    trace = Trace(load_model("dkd-mobilenetv2"), Clip("video.mp4"), box=(x0, y0, x1, y1))

The four names are loaded when first asked for: ``dkd lab`` and ``dkd --help`` should not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dkd.models import build_model
    from dkd.models.checkpoints import load_model
    from dkd.tracking.trace import Trace
    from dkd.video.clip import Clip

__all__ = ["Clip", "Trace", "build_model", "load_model"]
__version__ = "0.1.0"

_HOME = {
    "Clip": "dkd.video.clip",
    "Trace": "dkd.tracking.trace",
    "build_model": "dkd.models",
    "load_model": "dkd.models.checkpoints",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dkd' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
