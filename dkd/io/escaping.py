"""One door per language for names that users chose: a name is shown as it is, and never taken for markup.

For HTML, use :func:`html.escape`. For text that plotly draws, see :func:`plain_label`.
"""

from __future__ import annotations

import html
import re
from typing import Any

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "²": "$^2$", "α": r"$\alpha$", "→": r"$\to$", "·": "--", "–": "--", "−": "$-$",
}  # fmt: skip
_MARKDOWN = set("\\`*_{}[]<>|~$&")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def latex(text: object) -> str:
    """Return text as LaTeX shows it, in one paragraph."""
    return "".join(_LATEX.get(letter, letter) for letter in " ".join(str(text).split()))


def markdown(text: object) -> str:
    """Return text as Markdown shows it, in one line, also within a table."""
    shown = "".join(f"\\{letter}" if letter in _MARKDOWN else letter for letter in " ".join(str(text).split()))
    return re.sub(r"^(\d*)([-=.#+)])(?=[-=#\s]|$)", r"\1\\\2", shown)  # at the start of a line, a list or a rule


def csv_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers are unchanged.

    Text that begins like a formula gets an apostrophe in front, as spreadsheets write it; :func:`from_csv_cell` removes
    it.
    """
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.lstrip("'").startswith(_FORMULA) else value


def from_csv_cell(value: Any) -> Any:
    """Return the value that :func:`csv_cell` was given."""
    is_marked = isinstance(value, str) and value.startswith("'") and value.lstrip("'").startswith(_FORMULA)
    return value[1:] if is_marked else value


def csv_comment(text: object) -> str:
    """Return text for a comment in a CSV file: a spreadsheet cuts it at separators, and no piece is a formula."""
    return re.sub(r"(?<=[,;])(?=[=+\-@])", "'", " ".join(str(text).split()))


def plain_label(text: object) -> str:
    """Return text for a label or a hover text of a plot.

    plotly knows a few tags of HTML, takes a text in dollars for LaTeX, and fills in what is called ``%{x}``.
    """
    return html.escape(str(text), quote=False).replace("$", "&#36;").replace("%{", "&#37;{")
