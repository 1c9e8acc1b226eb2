"""Bad and odd inputs of every kind: read right, read with a warning, or refused with a typed error.

``make corpus`` takes all of them, ``make test`` a part. The table in ``docs/reliability.md`` has the counts.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.corpus.cases import OUTCOMES
from tests.corpus.collection import CASES, KINDS
from tests.corpus.runner import run_cases
from tests.support.processes import start

LONG = bool(os.environ.get("DKD_LONG"))
_EVERY = 1 if LONG else 6
# What went wrong when the corpus was first run is always taken.
FOUND = {
    "VP8.webm: a picture of zeros",
    "VP8.avi: a picture of zeros",
    "VP9.mp4: a picture of zeros",
    "FFV1.avi: a picture of zeros",
    "AV1.avi: a picture of zeros",
    "MP4: no units per second",
    "MP4: steps of no time",
    "MP4: key frames that are none",
    ".mkv: times, a start after ten hours",
    ".mkv: times, a thousand frames per second",
    "rendered: labels, noise",
    "rendered: settings [[[[[[[[[[[[[[[[[[[[[[[[",
    "penn_action: complex",
    "lsp_extended: no people",
    "pose2sim: one side",
    "person_crops: NaN",
    ".csv: zeros",
    ".csv: cut within a line",
    ".slp: instances behind the end",
    ".slp: one person twice in a frame",
    "a small .csv: a small table",
    "a small .csv: a column twice",
    "a small .json: the same image twice",
    "a small .json: a limb to joint 0",
    "a small .json: a person twice in an image",
    "a small .trc: no markers",
    "a small .trc: frame 1.5",
    "a small .dlc.csv: more columns",
    "a small .dlc.csv: a joint twice",
    "machine.threads=true",
    "steps=1:30",
    "sigma=1:30",
    "steps=010",
    "a recipe: a key twice",
    "a plan: minus three clips",
    "10^30 steps in the log",
    "a log of 10^400",
    "parts in a text",
    "parts outside of the folder",
    "rows twice",
    "scores in text",
    "('a', 'b', 'c', 'd')",
    "((1+1j), 2, 30, 40)",
    "Clip of None",
    "fps in text",
    "an infinite beta",
    "PCK at NaN",
    "PCK at −1",
    "a track timed at 0",
    "an export into no folder",
    "a trace of half a frame",
    "dkd.Live",
    "dkd.Trace",
    "dkd.load_poses",
    "dkd.trace_person",
    "widgets.Workbench",
    "widgets.save_page",
}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A process without threads that has loaded everything, and is forked for each case."""
    process, connection = start(run_cases, str(tmp_path_factory.mktemp("corpus")))
    yield connection
    connection.send(None)
    process.join()


@pytest.mark.parametrize("kind", KINDS)
def test_each_input_is_read_right_or_with_a_warning_or_refused(kind: str, runner: Connection) -> None:
    wrong = []
    numbers = [n for n, case in enumerate(CASES) if case.kind == kind]
    for number in [n for i, n in enumerate(numbers) if i % _EVERY == 0 or CASES[n].name in FOUND]:
        runner.send(number)
        outcome, said = runner.recv()
        if outcome != CASES[number].outcome:
            wrong.append(f"{CASES[number].name}: expected {CASES[number].outcome}, got {outcome}: {said[:500]}")
    assert not wrong, "\n".join(wrong)


def test_the_table_has_the_corpus() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = text.partition("| input | inputs |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", table, re.MULTILINE)
    made = []
    for kind in KINDS:
        count = Counter(case.outcome for case in CASES if case.kind == kind)
        made.append((kind, *map(str, (count.total(), *(count[outcome] for outcome in OUTCOMES)))))
    total = Counter(case.outcome for case in CASES)
    made.append(("all", *map(str, (total.total(), *(total[outcome] for outcome in OUTCOMES)))))
    shown = "\n".join(f"| {' | '.join(row)} |" for row in made)
    assert rows == made, f"expected this table:\n{shown}"
    assert {case.name for case in CASES} >= FOUND
    assert len(CASES) >= 300 and len({(case.kind, case.name) for case in CASES}) == len(CASES)
