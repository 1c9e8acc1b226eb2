"""The view of kernels made at the joints: what was looked for, where it fits, and the map before and after."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from dkd.analysis.joint_matching import search_joints
from dkd.tracking.trace import Trace
from widgets.core.answering import AnsweringView
from widgets.core.library import script
from widgets.core.wire import Message, encode_frame, write_message
from widgets.page.apart import save_apart
from widgets.page.page import SavedPage


class JointKernels(AnsweringView):
    """Shows how kernels made at the joints found one joint in one frame; see :mod:`dkd.models.at_joints`.

    From left to right: the cells around the joint in the frame before, which its kernels remember; where the fast and
    the slow kernel fit in this frame, from −1 to 1; and the joint's map as the pooled kernels matched it, and as it
    became. Below are the numbers: how much was seen of the joint, the best response, the responses at the map's peak,
    and there that of the same joint on the other side of the body.

    Frame and joint are those of the cursor. Frames whose maps come from the pose initializer, and models without such
    kernels, have nothing to show; the view says so.
    """

    _module = script("joint_kernels/joint_kernels.js")

    def to_html(self, path: str | os.PathLike[str], *, apart: Iterable[int] | None = None, **options: Any) -> SavedPage:
        """Save this view as one HTML file that needs no kernel and no network, below a workbench of the trace.

        In some frames a reader can choose any joint, as here and with the same numbers. The page says which frames
        these are. Each takes about 0.1 MB.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            apart: frames that can be taken apart; by default the shown one, and two before and after it.
            options: see :func:`widgets.save_page`.

        Raises:
            ArgumentError: ``apart`` has something else than whole numbers.
            FrameIndexError: a frame of ``apart`` is not in the page.
            ConfigError: the model makes no kernels at the joints, nothing is matched in a frame of ``apart``, or an
                option does not fit.
            StorageError: the file cannot be written.
        """
        return save_apart(self, "joint_kernels", _answer, path, apart, options)

    def _render(self, trace: Any, frame: int, generation: int) -> Message:
        return render_joint_kernels(trace, frame, generation)


def _answer(trace: Any, frame: int, part: range) -> Message:
    content, buffers = render_joint_kernels(trace, frame, 0)
    return {**content, "previous": content["previous"] - part.start}, buffers


def render_joint_kernels(trace: Trace, frame: int, generation: int) -> Message:
    """Return what the view shows of a frame, for all joints.

    ``previous`` is the frame from which the kernels were last updated, ``side`` that of a kernel in cells, and
    ``opposite`` the index of each joint's opposite, or −1. Parts: jpeg and before, the networks' inputs in this frame
    and in ``previous``; peaks (J, 2) uint8, cells x, y in ``previous``; fast, slow, matched and maps (J, H, W) float32:
    responses, and H_t before and after them; seen (J, 2) float32, of the fast and the slow kernel.

    Raises:
        ConfigError, FrameIndexError: see :func:`dkd.analysis.joint_matching.joint_matching`.
    """
    found = search_joints(trace, frame)
    joints, searches = trace.skeleton.joints, [one.found for one in found]
    cells = found[0].found.fast.shape[-1]
    return write_message(
        {
            "type": "joint_kernels",
            "generation": generation,
            "frame": frame,
            "previous": found[0].previous,
            "side": len(found[0].patch) * cells // len(found[0].crop),
            "opposite": [-1 if one.opposite is None else joints.index(one.opposite.joint) for one in found],
            "jpeg": encode_frame(trace.network_pixels(frame)),
            "before": encode_frame(found[0].crop),
            "peaks": np.array([one.peak for one in found], np.uint8),
            "fast": np.stack([one.fast for one in searches]),
            "slow": np.stack([one.slow for one in searches]),
            "matched": np.stack([one.matched for one in searches]),
            "maps": np.stack([one.heatmap for one in searches]),
            "seen": np.array([(one.seen_fast, one.seen_slow) for one in searches], np.float32),
        }
    )
