"""Form for the settings of an evaluation, with the equivalent lines of Python and of a shell."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from dkd.datasets.sources import available_sources
from dkd.errors import ConfigError
from dkd.evaluation.methods import VARIANTS
from dkd.io.paths import list_checkpoints
from dkd.training.runs import list_runs
from widgets.core.filmstrip import AS_TEXT
from widgets.evaluation.job import Request

DEFAULT_VARIANTS = ("", "initializer", "erased")  # "": unchanged
DEFAULT_CLIPS = 4
SMALL = ("samples", "rendered", "pose2sim")  # measured in minutes: ticked by default
ABOUT = {
    "samples": "the shipped clip, rendered, exact joints",
    "rendered": "rendered people, exact joints",
    "pose2sim": "a real man on a treadmill, four cameras: MACHINE LABELS, so results are an upper bound",
    "penn_action": "Penn Action, people at sports: its own labels",
    "sub_jhmdb": "Sub-JHMDB, everyday actions: its own labels (split 1)",
    "person_crops": "people in single pictures, one frame each: human labels",
}
GET = {
    "rendered": "render them with dkd render, in a minute or two",
    "pose2sim": "download the clips with dkd samples; machine labels are not shipped: use data pose2sim=FOLDER",
    "penn_action": "unpack Penn_Action.tar.gz as data/penn_action",
    "sub_jhmdb": "unpack sub_splits, joint_positions, puppet_mask and Rename_Images into data/sub_jhmdb",
}


def shipped_models() -> list[str]:
    """Return the names of the trained models at hand."""
    return list(list_checkpoints())


def trained_runs(root: Path) -> list[str]:
    """Return the folders in ``root`` with a run that has a result, as specs."""
    table = list_runs(root)
    if not len(table):
        return []
    return [str(folder) for folder in table["folder"] if (Path(folder) / "model.safetensors").is_file()]


def as_python(request: Request, folder: str) -> str:
    """Return the lines of Python that measure the same."""
    limits = "".join(f", {name}={value}" for name, value in _limits(request).items())
    where = f"{list(request.methods)!r}, {list(request.sources)!r}, {folder!r}{limits}"
    return f"list(evaluate({where}))\ntable = Evaluation({folder!r}).table()"


def as_command(request: Request, folder: str, normaliser: str = "box") -> str:
    """Return the shell command that measures the same."""
    words = ["dkd", "evaluate", *request.methods, "--data", *request.sources]
    for name, value in _limits(request).items():
        words += [f"--{name.removeprefix('n_')}", str(value)]
    if normaliser != "box":
        words += ["--normaliser", normaliser]
    return shlex.join([*words, "--out", folder])


def _limits(request: Request) -> dict[str, int]:
    return {name: value for name in ("n_clips", "n_frames") if (value := getattr(request, name)) is not None}


class EvaluationForm(ipw.VBox):
    """Form with models × variants, data, limits and folder.

    Args:
        request: initial settings; ``None``: the shipped model, its per-frame baseline, and the model with its memory
            erased, on the available data.
        folder: folder of the results.
        root: folder of trained runs.
        changed: called after each change, without arguments.
    """

    def __init__(self, request: Request | None, folder: str, root: Path, changed: Callable[[], None]):
        self._changed, self._quiet = changed, True
        self.root = root
        self.models: dict[str, Any] = {}
        self.model_box = ipw.VBox([])
        self.model_box.add_class("dkd-ticks")
        self.variants = {
            name: _tick(
                f"+{name}" if name else "unchanged", VARIANTS[name].summary if name else "", name in DEFAULT_VARIANTS
            )
            for name in ("", *VARIANTS)
        }
        at_hand = available_sources()
        self.sources = {name: _tick(name, ABOUT.get(name, ""), name in SMALL) for name in at_hand}
        self.others = ipw.Text(
            description="Other methods", continuous_update=False, placeholder="runs/first+one-euro, theirs.slp",
            tooltip="Any MODEL+variant+variant…: shipped names, checkpoints, folders of runs; and pose files of other "
            "tools, or folders with one per video; separated by commas",
        )  # fmt: skip
        self.other_data = ipw.Text(
            description="Other data", continuous_update=False, placeholder="penn_action=path/to/Penn_Action",
            tooltip="Any source by name, name=folder, or a folder in Penn Action's layout; separated by commas",
        )  # fmt: skip
        self.n_clips = ipw.BoundedIntText(
            value=DEFAULT_CLIPS, min=0, max=10**6, description="Clips per set",
            tooltip="Number of clips of each data set, from the first on; 0: all",
        )  # fmt: skip
        self.n_frames = ipw.BoundedIntText(
            value=0, min=0, max=10**6, description="Frames per clip",
            tooltip="Number of frames of each clip, from the first on; 0: all",
        )  # fmt: skip
        self.folder = ipw.Text(
            value=folder, description="Folder", continuous_update=False,
            tooltip="Folder of the results; existing results are not measured again",
        )  # fmt: skip
        self.lines = ipw.HTML()
        self.message = ipw.HTML()
        self._list_models()
        if request is not None:
            self._fill(request)
        missing = [f"<li><b>{html.escape(n)}</b>: {html.escape(t)}</li>" for n, t in GET.items() if n not in at_hand]
        more = ipw.HTML(f"<details><summary>{len(missing)} more</summary><ul>{''.join(missing)}</ul></details>")
        variants = ipw.VBox(list(self.variants.values()))
        data = ipw.VBox([*self.sources.values(), *([more] if missing else [])])
        columns = ipw.Box(
            [
                _group("Models", self.model_box),
                _group("Variants", variants),
                _group("Data", data),
            ]
        )
        columns.add_class("dkd-choices")
        for box in (variants, data):
            box.add_class("dkd-ticks")
        fields = ipw.Box([self.others, self.other_data, self.n_clips, self.n_frames, self.folder])
        fields.add_class("dkd-form")
        for control in (self.others, self.other_data, self.folder):
            control.add_class("dkd-field-wide")
        for control in (*self.variants.values(), *self.sources.values(), *fields.children):
            control.observe(self._on_change, "value")
        super().__init__([columns, fields, self.message, self.lines])
        self._quiet = False
        self.show_lines()

    def request(self) -> Request:
        """Return the settings of the form.

        Raises:
            ConfigError: no method or no data is selected.
        """
        variants = [name for name, tick in self.variants.items() if tick.value]
        methods = [
            model + (f"+{variant}" if variant else "")
            for model, tick in self.models.items()
            if tick.value
            for variant in variants
        ]
        methods += _parts(self.others.value)
        sources = [name for name, tick in self.sources.items() if tick.value] + _parts(self.other_data.value)
        if not methods:
            raise ConfigError("expected at least one method: tick a model and a variant, or type a method")
        if not sources:
            raise ConfigError("expected at least one data set: tick one, or type one")
        return Request(
            tuple(dict.fromkeys(methods)), tuple(dict.fromkeys(sources)), self.n_clips.value or None,
            self.n_frames.value or None,
        )  # fmt: skip

    def set(self, request: Request) -> None:
        """Set the form to the settings of a request."""
        self._quiet = True
        try:
            self._fill(request)
        finally:
            self._quiet = False
        self.show_lines()

    def look(self) -> None:
        """Update the list of runs."""
        self._list_models()

    def fix(self, fixed: bool) -> None:
        """Disable the form while measuring, or enable it again."""
        ticks = (*self.models.values(), *self.variants.values(), *self.sources.values())
        for control in (*ticks, self.others, self.other_data, self.n_clips, self.n_frames, self.folder):
            control.disabled = fixed

    def show_lines(self) -> None:
        """Show the equivalent code; invalid settings are explained when they are run."""
        try:
            request = self.request()
        except ConfigError as error:
            self.lines.value = f'<p class="dkd-muted">{html.escape(str(error))}</p>'
            return
        names = ", ".join(html.escape(method) for method in request.methods)
        python, shell = as_python(request, self.folder.value), as_command(request, self.folder.value)
        self.lines.value = (
            f'<p class="dkd-differs">{len(request.methods)} methods: <b>{names}</b></p>'
            f'<p class="dkd-code"><span>Python</span><code>{html.escape(python)}</code></p>'
            f'<p class="dkd-code"><span>Shell</span><code>{html.escape(shell)}</code></p>'
        )

    def _fill(self, request: Request) -> None:
        wanted: dict[str, list[str]] = {}
        for method in request.methods:
            model, _, variant = method.partition("+")
            if model in self.models and variant in self.variants:
                wanted.setdefault(model, []).append(variant)
        # The ticks are a product; methods that do not fit into it are typed.
        variants = next(iter(wanted.values()), [])
        ticked = {m for m, v in wanted.items() if set(v) == set(variants)}
        for model, tick in self.models.items():
            tick.value = model in ticked
        for name, tick in self.variants.items():
            tick.value = name in variants
        product = {m + (f"+{v}" if v else "") for m in ticked for v in variants}
        self.others.value = ", ".join(method for method in request.methods if method not in product)
        for name, tick in self.sources.items():
            tick.value = name in request.sources
        self.other_data.value = ", ".join(source for source in request.sources if source not in self.sources)
        self.n_clips.value, self.n_frames.value = request.n_clips or 0, request.n_frames or 0

    def _list_models(self) -> None:
        shipped = shipped_models()
        names = [*shipped, *trained_runs(self.root)]
        if names == list(self.models):
            return
        for name in names:
            if name not in self.models:
                kind = "shipped" if name in shipped else "trained here"
                tick = _tick(name, kind, not self.models and name == names[0])
                tick.observe(self._on_change, "value")
                self.models[name] = tick
        for name in [name for name in self.models if name not in names]:
            self.models.pop(name).close()
        self.model_box.children = list(self.models.values())

    def _on_change(self, _: Any) -> None:
        if self._quiet:
            return
        self.show_lines()
        self._changed()


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _tick(name: str, about: str, value: bool) -> Any:
    tick = ipw.Checkbox(
        value=value, indent=False, tooltip=f"{name}: {about}" if about else name, description_allow_html=True,
        description=f'<b class="{AS_TEXT}">{html.escape(name)}</b>'
        + (f'<span class="{AS_TEXT}">{html.escape(about)}</span>' if about else ""),
    )  # fmt: skip
    tick.add_class("dkd-tick")
    return tick


def _group(title: str, content: Any) -> Any:
    heading = ipw.HTML(f"<b>{html.escape(title)}</b>")
    box = ipw.VBox([heading, content])
    box.add_class("dkd-choice")
    return box


def parse_all(specs: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Convert methods or sources given to the panel: one, several or ``None``."""
    return None if specs is None else (specs,) if isinstance(specs, str) else tuple(specs)
