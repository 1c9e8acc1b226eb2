"""Names that users choose are shown as they are, in every language that an export is written in."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import mistune
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.figure import Figure

from dkd import export, load_poses, plot_frame, plot_kernels, plot_lanes
from dkd.evaluation.calibrate import Reliability
from dkd.evaluation.compare import Comparison
from dkd.evaluation.reliability_page import reliability_page
from dkd.io.escaping import csv_cell, from_csv_cell, latex, markdown, plain_label
from dkd.pose.skeleton import Skeleton
from tests.support.fake_trace import FakeTrace
from tests.support.hostile_names import hostile, renamed
from tests.support.tracks import make_track
from widgets.evaluation.reliability import reliability_figure
from widgets.evaluation.table import exports, table_html
from widgets.training.runs import runs_html

# Harmless in every language: if one is taken for markup, something is bold, or a sum is made.
PROBES = [
    "<b id=probe>bold</b>", "a & b", "\"quoted\" 'so'", "**bold**", "_under_ | bar", "`code` [link](x)", "# title",
    "$x^2$ {y} ~ \\bf", "100 % & more", "=1+1", "+1", "-1", "@a", "'=1", "plain", "two\nlines", "&amp;", "$a$ and $b$",
    "- item", "1. item", "![x](y)", "\\textbf{bold}", "\ttab", "<!-- x -->", "~~gone~~", "Grüße · 5² → α",
]  # fmt: skip
LETTERS = st.text(st.sampled_from("ab <>&\"'*_`#$%{}[]()|~^=+-@!1.\\\n"), max_size=30)
words = st.sampled_from(PROBES) | LETTERS
to_html = mistune.create_markdown(plugins=["table", "strikethrough", "math"])


@given(words)
def test_markdown_shows_the_text(text: str) -> None:
    shown = str(to_html(f"x{markdown(text)}x"))
    assert re.fullmatch(r"<p>[^<]*</p>\n", shown), shown
    assert html.unescape(shown[3:-5]) == f"x{' '.join(text.split())}x"
    (cell,) = re.findall(r"<td>(x.*x)</td>", str(to_html(f"| a | b |\n|---|---|\n| x{markdown(text)}x | 1 |\n")))
    assert html.unescape(cell) == f"x{' '.join(text.split())}x" and "<" not in cell


_COMMANDS = {
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">",
    "textbar": "|", "textquotedbl": '"', "textasciigrave": "`", "textquotesingle": "'",
}  # fmt: skip
_OURS = {"$^2$": "²", "$\\alpha$": "α", "$\\to$": "→", "--": "--"}


@given(words)
def test_latex_shows_the_text(text: str) -> None:
    """Read the result as TeX does: commands with empty arguments, escaped letters, and no other special letter."""
    rest, shown = latex(text), ""
    while rest:
        if found := re.match(r"\\([a-z]+)\{\}", rest):
            shown += _COMMANDS[found[1]]
        elif found := re.match(r"\\([%$&#_{}])", rest):
            shown += found[1]
        elif found := re.match(r"\$\^2\$|\$\\alpha\$|\$\\to\$|--", rest):
            shown += _OURS[found[0]]
        else:
            found = re.match(r"[^\\%$&#_{}~^<>|\"`']", rest)
            assert found, rest
            shown += found[0]
        rest = rest[found.end() :]
    assert shown == " ".join(text.split()).replace("·", "--").replace("–", "--")


@given(words)
def test_a_cell_of_a_table_is_no_formula_and_comes_back(text: str) -> None:
    file = io.StringIO()
    pd.DataFrame({"name": [csv_cell(text)], "n": [csv_cell(-1.5)]}).to_csv(file, index=False)
    file.seek(0)
    read = pd.read_csv(file, keep_default_na=False, dtype={"name": str})
    assert not str(read["name"][0]).startswith(("=", "+", "-", "@", "\t", "\r")) and read["n"][0] == -1.5
    assert from_csv_cell(csv_cell(text)) == text


@given(words)
def test_a_label_of_a_plot_has_no_tag(text: str) -> None:
    label = plain_label(text)
    assert "<" not in label and "$" not in label and html.unescape(label) == text


@pytest.mark.parametrize("probe", PROBES)
def test_names_in_tables_exports_and_pages(probe: str, tmp_path: Path) -> None:
    index = pd.Index([probe, "other"], name="model")
    columns = pd.MultiIndex.from_tuples([(probe, "PCK@0.2")])
    comparison = Comparison(pd.DataFrame([[0.5], [0.25]], index, columns), (probe,))
    rendered = str(to_html(comparison.text("markdown")))
    tags = {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert set(re.findall(r"<(\w+)", rendered)) <= tags
    assert html.unescape(rendered).count(" ".join(probe.split())) >= 3
    lines = comparison.text("csv").split("\n", 1)
    assert lines[0] == f"# {' '.join(probe.split())}"
    read = pd.read_csv(io.StringIO(lines[1]), index_col=0, dtype={"model": str})
    assert read.index.map(from_csv_cell).tolist() == [probe, "other"]
    assert latex(probe) in comparison.text("latex")
    table = pd.DataFrame({"method": [probe], "data": [probe], "labels": [probe], "PCK@0.2": [0.5]})
    written = exports(table, probe)
    assert latex(probe) in written["latex"] and markdown(probe) in written["markdown"]
    assert pd.read_csv(io.StringIO(written["csv"]), dtype=str)["data"].map(from_csv_cell).tolist() == [probe]
    runs = pd.DataFrame([{"run": probe, "model": probe, "status": probe, "step": 1, "folder": str(tmp_path)}])
    for page in (table_html(table), runs_html(runs)):
        assert set(re.findall(r"<(\w+)", page)) <= {"table", "thead", "tbody", "tr", "th", "td"}, page
        assert html.escape(probe) in page


FORMULA = ("=", "+", "-", "@", "\t", "\r")
NAMES = tuple(name for name in PROBES if name.isprintable() and name.strip())


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".dlc.csv"])
def test_names_of_people_and_joints_in_tables_of_poses(ending: str, tmp_path: Path) -> None:
    skeleton = Skeleton("probe", NAMES, ((NAMES[0], NAMES[1]),))
    track = make_track(1, 4, len(NAMES), skeleton, 30.0, gaps=False)
    track = replace(track, people=NAMES, source=NAMES[0], software=NAMES[9])
    path = export(track, tmp_path / f"a{ending}").path
    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file, delimiter="\t" if ending == ".tsv" else ",") for cell in row]
    number = re.compile(r"[-+]?[\d.]+(e-?\d+)?")
    assert [cell for cell in cells if cell.startswith(FORMULA) and not number.fullmatch(cell)] == []
    assert {NAMES[0], csv_cell("=1+1")} <= set(cells)
    back = load_poses(path)
    assert back.people == NAMES and back.joints == NAMES


def _texts(figure: Figure, path: Path) -> str:
    with rc_context({"svg.fonttype": "none"}):
        figure.savefig(path)
    return "\n".join(" ".join("".join(part.itertext()).split()) for part in ElementTree.parse(path).iter() if part.text)


def test_names_in_figures(tmp_path: Path) -> None:
    trace = renamed(FakeTrace(6))
    joint = " ".join(trace.skeleton.joints[0].replace("_", " ").split())
    lanes = _texts(plot_lanes(trace, 0), tmp_path / "a.svg")
    assert f"{hostile('clip')} · {hostile('model')} · {joint}" in lanes and lanes.count(joint) >= 2
    assert joint in _texts(plot_kernels(trace, 3, 0), tmp_path / "b.svg")
    frame = _texts(plot_frame({hostile("anna"): trace, "$ben_": renamed(FakeTrace(6))}, 2), tmp_path / "c.svg")
    assert hostile("anna") in frame and "$ben_" in frame


def test_names_in_a_reliability_diagram() -> None:
    row = {"low": 0.0, "high": 1.0, "n": 4, "hits": 0.5, "confidence": 0.5, "lower": 0.2, "upper": 0.8}
    data, labels = (hostile("data"),), (hostile("labels"),)
    measured = Reliability(hostile("model"), data, labels, True, 0.2, 4, pd.DataFrame([row]), 0.1, 0.2)
    layout = reliability_figure(measured).to_json()
    assert "<b" not in layout and "$" not in layout and "%{y}" not in layout
    assert plain_label(hostile("model")) in json.loads(layout)["layout"]["title"]["text"]
    page = reliability_page(measured)
    assert "<b " not in page and html.escape(hostile("model")) in page
