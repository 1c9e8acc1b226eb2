"""Progress bar of a run over a clip: one line of text is left of it."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm

_IN_NOTEBOOK = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)


class ProgressBar(tqdm):
    """tqdm's bar; in a notebook, a line of text takes its place when it ends.

    A saved notebook would keep tqdm's own bar in its first state, at 0 %, and the kernel its widgets.

    Args:
        settings: keywords of tqdm: ``total``, ``desc``, ``unit``, …
    """

    def __init__(self, **settings: Any):
        self._place: Any = None
        super().__init__(**settings, **({"display": False} if _IN_NOTEBOOK else {}))
        if _IN_NOTEBOOK and not self.disable:
            from tqdm import notebook

            self._place = notebook.display(self.container, display_id=True)
            self.displayed = True

    def close(self) -> None:
        """End the bar. May be called twice."""
        if self.disable:
            return
        seconds = self.format_dict["elapsed"]
        super().close()
        if self._place is None:
            return
        count = f"{self.n} of {self.total}" if self.n < self.total else f"{self.total}"
        text = f"{self.desc.removesuffix(': ')}: {count} {self.unit}s in {seconds:.1f} s"
        self._place.update({"text/plain": text}, raw=True)
        for widget in (*self.container.children, self.container):
            for part in (getattr(widget, "style", None), widget.layout, widget):
                if part is not None:
                    part.close()


class Preparation:
    """Bar of what is done once for a model on a machine, such as its export; nothing is shown if nothing is done.

    Args:
        show: whether to show anything.
    """

    def __init__(self, show: bool):
        self._show = show
        self._bar: ProgressBar | None = None

    def __call__(self, text: str) -> None:
        """Say what is done next."""
        if self._bar is None:
            self._bar = ProgressBar(desc=text, unit="step", bar_format="{desc}[{elapsed}]", disable=not self._show)
        self._bar.set_description(text)
        self._bar.update()

    def __enter__(self) -> Preparation:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.total = self._bar.n
            self._bar.close()
