"""Helpers for tests of both panels: open one in a browser, press its buttons, wait for its state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.browser import Lab, opened

ROOT = Path(__file__).resolve().parents[2]
HEAD = ".dkd-panel-head"
# The workbench of a side has painted the frame that its cursor is at, with its exact numbers.
SETTLED = """(side) => {
    const { store, cursor } = document.querySelector(`.dkd-side-${side} .dkd-workbench`)?.dkd ?? {};
    const frame = cursor?.get('frame');
    return store?.shown && store.shown.frame === frame && !store.raf
        && (!store.header.channels || store.header.initial.has(frame) || store.detail?.frame === frame);
}"""


@contextmanager
def opened_panel(page: Page, lab: Lab, name: str, kind: str, call: str) -> Iterator[Page]:
    """A notebook ``name`` in which ``panel = call`` has run; ``kind`` is the panel's class. Its kernel is stopped."""
    setup = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom widgets import {kind}"
    with opened(page, lab, name, setup, f"panel = {call}\npanel", height=1300):
        wait_for_state(page, "new")
        yield page


def said_wrong(page: Page) -> str:
    """Return the error under the panel's head, empty if there is none."""
    said: str = page.evaluate(f"() => document.querySelector('{HEAD} > .dkd-error')?.textContent ?? ''")
    return said


def button(page: Page, name: str) -> Any:
    return page.locator(".dkd-training-controls button", has_text=re.compile(f"^{name}$"))


def wait_for_state(page: Page, state: str) -> None:
    expect(page.locator(HEAD)).to_have_attribute("data-state", state)
