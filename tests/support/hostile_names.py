"""Names that look like markup, and what they name: harmless, but seen if one is taken for more than text."""

from __future__ import annotations

from typing import Any

from dkd.pose.skeleton import Skeleton

# HTML, LaTeX as MathJax and matplotlib find it, Markdown, entities, quotes, what plotly fills in, a formula.
PROBE = "=1+1 <b class=probe>x</b> $a_b$ \\(c\\) | `d` **e** & &lt; \"f\" 'g' %{y} _h_"
# A name of a file cannot have a slash.
FILE = PROBE.replace("</b>", "<i class=probe>")


def hostile(kind: str) -> str:
    """Return a hostile name of a thing of this kind."""
    return f"{PROBE} {kind}"


def hostile_skeleton(skeleton: Skeleton) -> Skeleton:
    """Return a skeleton with the same limbs, whose joints have hostile names."""
    names = {joint: hostile(joint) for joint in skeleton.joints}
    limbs = tuple((names[a], names[b]) for a, b in skeleton.limbs)
    return Skeleton(hostile("skeleton"), tuple(names.values()), limbs)


def renamed(trace: Any, person: str = "") -> Any:
    """Give a trace's joints, model, clip and ground truth hostile names."""
    trace.skeleton = hostile_skeleton(trace.skeleton)
    trace.model_name, trace.clip.name = hostile(f"model{person}"), hostile("clip")
    if trace.ground_truth is not None:
        trace.ground_truth_kind = hostile("truth")
    return trace
