"""The HTML around the data of a page: what a browser may do there, the still picture, and the scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np

from dkd.tracking.protocols import TraceLike
from dkd.video.protocols import pixel_aspect
from widgets.core.assets import ROOT, module
from widgets.core.filmstrip import draw_skeleton
from widgets.core.library import without_comments
from widgets.page.packing import as_text, in_script

STILL_WIDTH = 640  # pixels
STILL = "page"  # name of the still picture, which the views hide


def boot_script() -> str:
    """Return the script that a page runs: it links the modules in the page, and starts the views."""
    return without_comments(module("page/boot.js").source).replace("export default ", "const boot = ") + "\nboot();\n"


def policy(script: str, is_live: bool = False) -> str:
    """Return the content-security policy of a page: it connects to nothing, and runs only this script and its modules.

    The modules are texts in the page that become ``blob:`` addresses. Text that got into the page as markup would not
    run, as its hash is another. A live page also runs WebAssembly, in a worker, and plays videos that are given to it.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = {
        "default-src": "'none'", "script-src": f"'sha256-{digest}' blob:", "style-src": "'unsafe-inline'",
        "img-src": "data: blob:", "connect-src": "'none'", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    if is_live:
        rules |= {"worker-src": "data:", "media-src": "blob:"}
        rules["script-src"] += " 'wasm-unsafe-eval'"
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def still_picture(trace: TraceLike, frame: int) -> str:
    """Return a frame with the skeleton as a figure, for the moment before the views start, and for readers of mail."""
    picture = trace.picture(frame)
    across = float(pixel_aspect(trace.clip))
    scale = min(1.0, STILL_WIDTH / (picture.shape[1] * across))
    size = (max(1, round(picture.shape[1] * across * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    joints = (np.asarray(trace.joints[frame]) + 0.5) * (across * scale, scale) - 0.5
    drawn = draw_skeleton(small, joints, trace.skeleton)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(drawn[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 75])
    alt = f"A frame of {trace.clip.name} with the skeleton that {trace.model_name} found"
    source = f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
    return (
        f'<figure data-dkd-filmstrip="{STILL}"><img alt="{escape(alt)}" src="{source}">'
        f"<figcaption>{escape(alt)}. <noscript>The views need scripts, which this viewer does not run: save the file "
        "and open it in a browser.</noscript></figcaption></figure>"
    )


def render(
    title: str, still: str, contents: dict[str, Any], blocks: Sequence[bytes], is_live: bool = False
) -> Iterator[str]:
    """Yield the text of a page in parts.

    Args:
        title: title of the page, plain text.
        still: HTML of the still picture.
        contents: what is where, see :mod:`widgets.page.page`; JSON.
        blocks: the blocks, by number.
        is_live: whether a model runs in it.
    """
    script = boot_script()
    kind = "Live model" if is_live else "Recorded run"
    style = (ROOT / "page" / "page.css").read_text(encoding="utf-8")
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(script, is_live))}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="DKD Workbench">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<main id="dkd-page"><h1>{escape(title)}</h1><h2>{kind}</h2>{still}</main>\n'
        f'<script type="application/json" id="dkd-contents">{in_script(contents)}</script>\n'
    )
    for number, block in enumerate(blocks):
        yield f'<script type="text/plain" id="dkd-{number}">{as_text(block)}</script>\n'
    yield f'<script type="module">{script}</script>\n</body>\n</html>\n'
