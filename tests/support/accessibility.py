"""What axe-core finds on a page: barriers for people who use a screen reader or keys, or see less contrast."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# JupyterLab's body has no height and hides what overflows, so axe-core would take all text for invisible.
_RUN = """async (selectors) => {
    document.body.style.minHeight = '100vh';
    const { violations } = await axe.run(selectors.length ? { include: selectors } : document,
        { resultTypes: ['violations'] });
    document.body.style.minHeight = '';
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none, html }) =>
        `${id}: ${[...any, ...all, ...none].map((check) => check.message).join('; ')} ${target.join(' ')} ${html}`));
}"""
# The stops of the Tab key within an element, each with its name: radio buttons of one group are one stop.
_STOPS = """(root) => {
    const all = [...root.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')];
    const seen = all.filter((e) => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({ visibilityProperty: true }));
    return seen.map((e) => e.ariaLabel ?? e.labels?.[0]?.textContent ?? e.textContent);
}"""


def violations(page: Page, *selectors: str) -> list[str]:
    """Return what axe-core finds, a line for each element: its rule, what is wrong, and the element.

    Args:
        page: the page, in the state that is to be looked at.
        selectors: the parts of it that are looked at; the whole page, with its language and headings, if there is none.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")
    found: list[str] = page.evaluate(_RUN, list(selectors))
    return found


def tab_stops(page: Page, selector: str) -> list[str]:
    """Return the names of what the Tab key stops at within an element, in order."""
    names: list[str] = page.locator(selector).first.evaluate(_STOPS)
    return names
