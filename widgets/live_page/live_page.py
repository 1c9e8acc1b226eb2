"""``save_live_page``: a page in which the model itself runs, and tracks any video that is dropped on it."""

from __future__ import annotations

import base64
import os
import time
import zlib
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dkd.engines.compact import compact_graphs
from dkd.errors import ConfigError, checked
from dkd.io.files import atomic_path
from dkd.io.provenance import provenance
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.models.confidence import calibration_of
from dkd.models.dkd import DKD
from dkd.pose.crops import check_box
from dkd.sessions.hashes import hash_weights
from dkd.tracking.reinitialise import Reinitialise
from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike
from dkd.video.samples import get_sample
from widgets.core.cursor import Cursor
from widgets.core.wire import write_message
from widgets.laboratory.forms import as_records
from widgets.live_page.runtime import WASM, WEBGPU, runtime_script, runtime_wasm
from widgets.page.about import CODE
from widgets.page.choices import check_page
from widgets.page.contents import in_page, libraries
from widgets.page.cutting import CHUNK
from widgets.page.filling import AROUND, MB
from widgets.page.html import STILL, STILL_WIDTH, render
from widgets.page.packing import STORED, pack
from widgets.page.page import SavedPage
from widgets.page.pictures import STILLS, Look, encode, shrunk

START = "live_page/live_page.js"
MAX_MB = 40.0
LONGEST = 600  # frames of the sample, as of any video in the page: sources.js
SAMPLE = "rendered_walk"
# Of the laboratory's interventions, those that the page makes: calls.js. Parts of the picture are covered by dragging.
METHODS = ("freeze_kernel", "swap_kernels", "swap_readouts", "shift_box", "change_state", "restart")


@checked
def save_live_page(
    path: str | os.PathLike[str],
    model: str | Path | VideoPoseModel = "dkd-mobilenetv2",
    clip: ClipLike | None = None,
    box: Sequence[float] | None = None,
    *,
    name: str | None = None,
    max_mb: float = MAX_MB,
    progress: Callable[[str], object] | None = None,
) -> SavedPage:
    """Write a page in which a DKD tracks people without Python, a server or a network; completely or not at all.

    ::

        save_live_page("dkd.html")
        save_live_page("mine.html", "runs/mine/model.safetensors", clip, box=(385, 375, 770, 1140))

    The page opens with a double click. It tracks the clip that is in it, a video that is dropped on it, or whoever is
    in front of the webcam, and kernels can be edited there. Its weights are in half precision.

    Args:
        path: the file, ``.html``; an existing one is replaced.
        model: a shipped model, a checkpoint's path, or a DKD.
        clip: the sample in the page, at most 600 frames; by default the clip that is shipped with the project.
        box: (x0, y0, x1, y1) of the person in the clip's first frame in pixels; by default the page searches.
        name: name of the sample; by default that of the clip.
        max_mb: size of the file in 10⁶ bytes, at most.
        progress: called with a line of text before each part of the work.

    Raises:
        ConfigError: the name has another ending, the model is no DKD with pooled kernels, the clip is too long, or the
            page is larger than ``max_mb``.
        BoxError: the box is not in the frame.
        CheckpointError: the model is damaged, or a weight is too large for half precision.
        VideoError: a frame cannot be read.
        StorageError: the file cannot be written.
    """
    path = check_page(path, max_mb)
    if clip is None:
        sample = get_sample(SAMPLE)
        with Clip(sample.path) as opened:
            return save_live_page(
                path, model, opened, sample.box if box is None else box, name=name, max_mb=max_mb, progress=progress
            )
    if not 0 < len(clip) <= LONGEST:
        raise ConfigError(f"expected a sample of at most {LONGEST} frames, got {len(clip)}; give a part of it")
    say = progress or str
    say("exporting the network")
    net = (model if isinstance(model, VideoPoseModel) else load_model(model)).eval()
    page = _Blocks()
    graphs = {name: page.add(zlib.compress(file, 9)) for name, file in compact_graphs(net).items()}
    assert isinstance(net, DKD)  # compact_graphs has checked it
    version = runtime_script()[1]
    runtime: dict[str, Any] = {"version": version}
    for provider, (script, wasm) in {"wasm": WASM, "webgpu": WEBGPU}.items():
        code = zlib.compress(runtime_script(script)[0].encode(), 9)
        runtime[provider] = {"script": page.add(code), "wasm": page.add(runtime_wasm(wasm))}
    modules = libraries(START, page.add)
    say("encoding the sample")
    shown, look = _sample(clip, box, page, max_mb * MB - AROUND)
    contents = {
        "format": "dkd-live-page/1", **modules, "facts": _facts(net), "graphs": graphs, "runtime": runtime,
        "sample": {"name": name or clip.name, **shown}, "about": _about(net, version), "code": CODE,
        "shown": _cursor(net), "forms": [form for form in as_records(True, ()) if form["method"] in METHODS],
    }  # fmt: skip
    title = f"{net.name}, live"
    still = _still(clip, title)
    how: Any = {"encoding": "utf-8", "errors": "replace", "newline": "\n"}
    with atomic_path(path) as temporary, temporary.open("w", **how) as file:
        file.writelines(render(title, still, contents, page.blocks, is_live=True))
    size = path.stat().st_size / MB
    return SavedPage(path, size, size, len(clip), len(clip), str(look))


class _Blocks:
    """Blocks of a page by number."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []

    def add(self, block: bytes) -> int:
        self.blocks.append(block)
        return len(self.blocks) - 1

    @property
    def size(self) -> float:
        """Bytes in the page."""
        return sum(in_page(len(block)) for block in self.blocks)


def _sample(clip: ClipLike, box: Sequence[float] | None, page: _Blocks, room: float) -> tuple[dict[str, Any], Look]:
    """Add the pictures of the sample, as good as there is room for; return where they are, and how they look."""
    checked = None if box is None else check_box(box, clip.width, clip.height)
    room -= page.size
    for look in STILLS:
        chunks: list[bytes] = []
        for first in range(0, len(clip), CHUNK):
            frames = [clip.frame(t) for t in range(first, min(first + CHUNK, len(clip)))]
            chunks.append(pack(write_message({"pictures": encode(frames, look)}), STORED))
            if sum(in_page(len(chunk)) for chunk in chunks) > room:
                break
        else:
            height, width = shrunk(frames[0], look.height).shape[:2]
            scale = (width / clip.width, height / clip.height)
            inside = None if checked is None else [v * scale[i % 2] for i, v in enumerate(checked)]
            times = np.asarray(clip.times, np.float64)
            where = {"box": inside, "times": times.tolist(), "size": [width, height]}
            return {**where, "pictures": [page.add(chunk) for chunk in chunks]}, look
    raise ConfigError(
        f"the network and what runs it take {page.size / MB:.1f} MB, and {len(clip)} frames do not fit beside them; "
        "give a larger max_mb, or fewer frames"
    )


def _facts(model: DKD) -> dict[str, Any]:
    """Return what the page knows of the model, see ``types.d.ts``."""
    channels, side, _ = model.kernel_shape
    skeleton, curve = model.skeleton, calibration_of(model)
    return {
        "name": model.name, "input_size": model.config.input_size, "map": model.map_size, "channels": channels,
        "kernel": side, "joints": list(skeleton.joints), "sides": [skeleton.side(j) for j in skeleton.joints],
        "limbs": [list(pair) for pair in skeleton.limb_indices],
        "readout": model.readout.weight.detach().flatten().tolist(),
        "bias": [] if model.readout.bias is None else model.readout.bias.detach().tolist(),
        "calibration": None if curve is None
        else {"scores": list(curve.scores), "probabilities": list(curve.probabilities)},
        "sure": Reinitialise().limit(curve is not None),
    }  # fmt: skip


def _about(model: DKD, version: str) -> list[tuple[str, str]]:
    """Return the origin of the page as pairs of a name and a text."""
    made = provenance()
    facts = [
        ("model", model.name),
        ("weights, SHA-256", hash_weights(model)),
        ("runtime", f"ONNX Runtime Web {version}, © Microsoft Corporation, MIT License"),
        ("versions", ", ".join(f"{name} {number}" for name, number in made["versions"].items())),
    ]
    if made["commit"]:
        facts.append(("commit", made["commit"]))
    return [*facts, ("made", time.strftime("%Y-%m-%d %H:%M"))]


def _cursor(model: DKD) -> dict[str, Any]:
    """Return the page's cursor at the beginning."""
    cursor = Cursor(1, model.skeleton.joints)
    try:
        names = ("n_frames", "joint_names", "frame", "joint", "layers", "cell", "playing", "speed", "range")
        return {name: getattr(cursor, name) for name in names}
    finally:
        cursor.close()


def _still(clip: ClipLike, title: str) -> str:
    """Return the sample's first frame as a figure, for the moment before the network is there."""
    frame = clip.frame(0)
    scale = min(1.0, STILL_WIDTH / frame.shape[1])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()
    source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure data-dkd-filmstrip="{STILL}"><img alt="The first frame of the sample" src="{source}">'
        f"<figcaption>{escape(title)}: the network starts in this page. <noscript>It needs scripts, which this viewer "
        "does not run: save the file and open it in a browser.</noscript></figcaption></figure>"
    )
