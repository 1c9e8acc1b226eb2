"""Checkpoints, recipes and plans of ablations, damaged or made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from dkd.ablations.plan import load_plan
from dkd.models.checkpoints import load_model, read_tensors, save_model
from dkd.models.registry import build_model
from dkd.training.config import TrainConfig, load_recipe
from tests.corpus.cases import Case, Use, uses

NAN, INF = float("nan"), float("inf")
CHECKPOINTS, RECIPES = "checkpoints", "recipes and plans"


# ---- checkpoints ----------------------------------------------------------------------------------------------------


def _checkpoint(
    kind: str, change: Callable[[dict[str, Any], dict[str, str]], object], outcome: str, folder: Path
) -> Use:
    path = folder / "a.safetensors"
    settings: dict[str, Any] = {"hidden": 4} if kind.startswith("lstm") else {}
    save_model(build_model(kind, channels=8, **settings), path, {"data": "none"})
    tensors, header = read_tensors(path)
    change(tensors, header)
    save_file(tensors, path, metadata=header)
    if outcome == "refused":
        return uses(lambda: load_model(path))
    return uses(lambda: load_model(path), lambda model: all(torch.isfinite(p).all() for p in model.parameters()))


def _setting(**values: Any) -> Callable[[dict[str, Any], dict[str, str]], object]:
    return lambda _, header: header.update(config=json.dumps({**json.loads(header["config"]), **values}))


def _entry(**values: str) -> Callable[[dict[str, Any], dict[str, str]], object]:
    return lambda _, header: header.update(values)


def _weight(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[dict[str, Any], dict[str, str]], object]:
    def apply(tensors: dict[str, Any], _: dict[str, str]) -> None:
        name = next(k for k, v in tensors.items() if v.is_floating_point() and v.ndim == 4)
        tensors[name] = change(tensors[name]).contiguous()

    return apply


HEADERS: dict[str, tuple[Callable[[dict[str, Any], dict[str, str]], object], str]] = {
    "whole": (lambda *_: None, "right"),
    "weights in half precision": (_weight(lambda t: t.half()), "right"),
    "channels in text": (_setting(channels="8"), "refused"),
    "10^12 channels": (_setting(channels=10**12), "refused"),
    "an input of 10^9 pixels": (_setting(input_size=10**9), "refused"),
    "an unknown setting": (_setting(colour=1), "refused"),
    "an unknown skeleton": (_setting(skeleton="hydra"), "refused"),
    "deep settings": (_entry(config="[" * 10**5), "refused"),
    "no settings": (lambda _, h: h.pop("config"), "refused"),
    "a number of 10,000 digits": (_entry(config="1" * 10**4), "refused"),
    "provenance of 8 MB": (_entry(provenance=" " * 2**23), "refused"),
    "joints that are none": (_entry(joints="[1]"), "refused"),
    "a format of another program": (_entry(format="pt"), "refused"),
    "an unknown kind": (_entry(kind="magic"), "refused"),
    "a calibration of text": (_entry(provenance='{"confidence": "high"}'), "refused"),
    "weights of NaN": (_weight(lambda t: t * NAN), "refused"),
    "infinite weights": (_weight(lambda t: t * INF), "refused"),
    "complex weights": (_weight(lambda t: t * 1j), "refused"),
    "weights that are whole numbers": (_weight(lambda t: t.int()), "refused"),
    "weights of another shape": (_weight(lambda t: t[:-1]), "refused"),
    "a weight too few": (lambda t, _: t.pop(next(iter(t))), "refused"),
    "a weight too many": (lambda t, _: t.update(more=torch.zeros(3)), "refused"),
}


def _bytes(data: bytes, folder: Path) -> Use:
    (folder / "a.safetensors").write_bytes(data)
    return uses(lambda: load_model(folder / "a.safetensors"))


def _header(text: str) -> bytes:
    return len(text).to_bytes(8, "little") + text.encode()


FILES = {
    "nothing": b"",
    "eight bytes": bytes(8),
    "a header of 10^18 bytes": (10**18).to_bytes(8, "little") + b"{}",
    "noise": np.random.default_rng(0).bytes(5000),
    "a pickle": b"\x80\x04cos\ngetcwd\n)R.",
    "a zip": b"PK\x03\x04" + bytes(500),
    "tensors outside of the file": _header('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'),
    "overlapping tensors": _header(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    )
    + bytes(4),
    "a shape of 10^20": _header('{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}') + bytes(4),
    "text": b"version https://git-lfs.github.com/spec/v1\n",
}


# ---- recipes and plans ----------------------------------------------------------------------------------------------

WORDS = (
    "steps=0",
    "steps=1e400",
    "batch=2.5",
    "batch=yes",
    "batch=1_000_000_000",
    "machine.threads=true",
    "machine.threads=0",
    "machine.workers=-1",
    "machine.workers=false",
    "sigma=.nan",
    "sigma=1:30",
    "steps=1:30",
    "steps=0x10",
    "steps=2026-01-01",
    "seed=true",
    "seed=-1",
    "n_frames=1",
    "model.name=dkd-huge",
    "model.settings.channels=true",
    "model.settings.input_size=100",
    "data.train=[]",
    "data.shares=[.inf]",
    "optimiser.learning_rate=fast",
    "optimiser.ema=1",
    "steps",
    "=3",
    "steps.x=3",
    "a.b.c=1",
    "augment.scale=[2, 1]",
    "adversary.width=10000000000",
    "model.start=[1]",
    "machine.precision=8",
    "steps=!!python/name:os.system",
    "steps=&a [*a]",
    "optimiser.milestones=[1:30]",
    "data.validation=",
    "machine.accelerator=3",
)
GOOD = {
    "steps=500": lambda c: c.steps == 500,
    "sigma=2": lambda c: c.sigma == 2,
    "data.train=[a, b]": lambda c: c.data.train == ("a", "b"),
    "machine.threads=null": lambda c: c.machine.threads is None,
    "steps='500'": lambda c: c.steps == 500,
    "steps=010": lambda c: c.steps == 10,
}


def _recipe(word: str, right: Callable[[TrainConfig], bool] | None, folder: Path) -> Use:
    return uses(lambda: load_recipe("laptop", [word]), right)


DOCUMENTS: dict[str, bytes] = {
    "empty": b"",
    "a list": b"- steps",
    "a number": b"3",
    "no YAML": b"steps: [1",
    "Latin-1": b"# f\xfcr\nsteps: 3\n",
    "noise": bytes(range(256)),
    "deep": b"steps: " + b"[" * 5000,
    "aliases that double": b"a0: &a0 [1, 1]\n"
    + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 60)),
    "a tag of Python": b"steps: !!python/object/apply:os.getcwd []",
    "two documents": b"steps: 3\n---\nsteps: 4\n",
    "a number of 5,000 digits": b"steps: " + b"9" * 5000,
    "a megabyte": b"# " + b"x" * 2**20 + b"\n",
    "an unknown setting": b"step: 3\n",
    "a key twice": b"steps: 3\nsteps: 4\n",
    "a merge key": b"<<: {steps: 3}\n",
    "null": b"model: null\n",
    "settings of settings": b"steps: {a: 1}\n",
}
PLANS: dict[str, str] = {
    "no variant": "recipe: laptop\nvariants: {}\n",
    "no recipe": "variants: {a: {}}\n",
    "a recipe that is not there": "recipe: nowhere\nvariants: {a: {}}\n",
    "a name with a slash": "recipe: laptop\nvariants: {a/b: {}}\n",
    "a name with two dots": "recipe: laptop\nvariants: {..: {}}\n",
    "an unknown setting": "recipe: laptop\nvariants: {a: {colour: 1}}\n",
    "a recipe that is this plan": "recipe: a.yaml\nvariants: {a: {}}\n",
    "an unknown method": "recipe: laptop\nvariants: {a: {}}\nmethods: {b: a+magic}\n",
    "frames that do not divide": "recipe: laptop\nframes_a_step: 7\nvariants: {a: {}}\n",
    "variants in a list": "recipe: laptop\nvariants: [a]\n",
    "clips that are none": "recipe: laptop\nvariants: {a: {}}\nevaluation: {clips: many}\n",
    "minus three clips": "recipe: laptop\nvariants: {a: {}}\nevaluation: {clips: -3}\n",
    "frames that are true": "recipe: laptop\nvariants: {a: {}}\nevaluation: {frames: true}\n",
}


def _document(name: str, text: bytes, load: Callable[[Path], Any], folder: Path) -> Use:
    (folder / name).write_bytes(text)
    return uses(lambda: load(folder / name))


def cases() -> Iterator[Case]:
    for name, (change, outcome) in HEADERS.items():
        for kind in ("dkd-tiny", "simple-baseline-tiny") if outcome == "right" else ("dkd-tiny",):
            yield Case(CHECKPOINTS, f"{kind}: {name}", outcome, partial(_checkpoint, kind, change, outcome))
    for kind in ("cpm-tiny", "lstm-pm-tiny", "simple-baseline-tiny"):
        yield Case(CHECKPOINTS, f"{kind}: weights of NaN", "refused",
                   partial(_checkpoint, kind, HEADERS["weights of NaN"][0], "refused"))  # fmt: skip
    for name, data in FILES.items():
        yield Case(CHECKPOINTS, name, "refused", partial(_bytes, data))
    for word in WORDS:
        yield Case(RECIPES, word[:40], "refused", partial(_recipe, word, None))
    for word, right in GOOD.items():
        yield Case(RECIPES, word, "right", partial(_recipe, word, right))
    for name, text in DOCUMENTS.items():
        yield Case(RECIPES, f"a recipe: {name}", "refused", partial(_document, "a.yaml", text, load_recipe))
    for name, plan in PLANS.items():
        yield Case(RECIPES, f"a plan: {name}", "refused", partial(_document, "a.yaml", plan.encode(), load_plan))
