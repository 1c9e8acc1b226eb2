"""DKD Workbench: see how a video pose model thinks.

from dkd import Clip, Trace, load_model
trace = Trace(load_model("dkd-mobilenetv2"), Clip("video.mp4"), box=(x0, y0, x1, y1))
"""

from dkd.checkpoints import load_model
from dkd.models import build_model
from dkd.trace import Trace
from dkd.video import Clip

__all__ = ["Clip", "Trace", "build_model", "load_model"]
__version__ = "0.1.0"
