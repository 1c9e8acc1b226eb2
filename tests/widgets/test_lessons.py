"""Lessons: checks, progress, and a question answered by keyboard in a real browser."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dkd.errors import ConfigError
from tests.support.browser import Lab, opened, python, screenshot
from tests.widgets.test_workbench_browser import ROOT
from widgets import Choice, Lesson, Number, Question
from widgets.lessons.lessons import _progress


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    yield
    _progress.clear()


def done_in_view(bench: Any, **rest: Any) -> Question:
    check = lambda: bench.frame == 24 or f"You are at frame {bench.frame}."  # noqa: E731
    return Question("Go to frame `24`.", check, answer=lambda: setattr(bench, "frame", 24), **rest)


@pytest.mark.parametrize(
    ("given", "holds", "said"),
    [
        (0.5, True, ""), ("0.52", True, ""), ("0,48", True, ""), ("−0.5", False, "more"), (0.521, False, "less"),
        ("", False, "type a number"), (None, False, "type a number"), ("half", False, "'half' is not a number"),
        ("nan", False, "No."), ("inf", False, "less"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("right", [0.5, lambda: 0.5])
def test_a_number_has_a_tolerance(right: Any, given: object, holds: bool, said: str) -> None:
    verdict = Question("How high?", Number(right, tolerance=0.02, unit="px")).try_answer(given)
    assert (verdict.holds, bool(verdict)) == (holds, holds)
    assert said in verdict.text


def test_a_wrong_choice_is_explained() -> None:
    question = Question("Which?", Choice({"head": "It hardly moves.", "wrist": True, "ankle": False}))
    assert question.try_answer("wrist")
    assert question.try_answer("head").text == "It hardly moves."
    assert not question.try_answer("ankle") and not question.try_answer("ankle").text
    assert "choose" in question.try_answer().text
    assert "not one of: head, wrist, ankle" in question.try_answer("wirst").text
    without: list[dict[str, bool | str]] = [{"only": True}, {"a": False, "b": "no"}]
    for options in without:
        with pytest.raises(ConfigError, match="one of them True"):
            Choice(options)


def test_trying_an_answer_leaves_no_trace() -> None:
    lesson = Lesson("A lesson", "See.", 5, [question := Question("How many?", Number(3))])
    before = dict(question._said)
    assert question.try_answer(3) and not question.try_answer(4)
    assert (question.state, question._said, lesson.progress) == ("open", before, "0 of 1 answered")


def test_actions_in_a_view_are_checked() -> None:
    bench = SimpleNamespace(frame=3)
    question = done_in_view(bench)
    assert question.try_answer().text == "You are at frame 3."
    assert not question.submit() and question._said["label"] == "Not yet"
    bench.frame = 24
    assert question.submit() and question.state == "right"
    assert question._said["label"] == "Right"


def test_the_answer_is_performed_or_stated_and_does_not_count_as_right() -> None:
    bench = SimpleNamespace(frame=3)
    questions = [
        done_in_view(bench),
        Question("How many?", Number(3, unit="px")),
        Question("Which?", Choice({"a": False, "b": True})),
        Question("Why?", Choice({"a": False, "b": True}), answer="Because b."),
    ]
    lesson = Lesson("A lesson", "See.", 5, questions)
    assert [q.show_answer() for q in questions] == ["Done: look at the view.", "It is 3 px.", "b.", "Because b."]
    assert bench.frame == 24
    assert lesson.progress == "0 of 4 answered, 4 shown"
    assert questions[0].submit() and questions[0].state == "shown"
    with pytest.raises(ConfigError, match="expected an answer to 'Do it'"):
        Question("Do it", lambda: True)


def test_hints_come_one_at_a_time() -> None:
    question = Question("How many?", Number(3), hints=["More than 2.", "Fewer than 4."])
    assert [question.hint() for _ in range(3)] == ["More than 2.", "Fewer than 4.", ""]
    question.submit(7)
    assert question._said["hints"] == ["More than 2.", "Fewer than 4."]


@pytest.mark.parametrize("fails", [lambda: 1 / 0, lambda: undefined_view.frame])  # type: ignore[name-defined]  # noqa: F821
def test_a_check_that_fails_says_so_in_one_line(fails: Callable[[], object]) -> None:
    question = Question("Do it.", fails, answer=fails)
    for said in (question.submit().text, question.show_answer()):
        assert "could not" in said and "\n" not in said and "Traceback" not in said
        assert "division by zero" in said or "undefined_view" in said
    assert question.state == "open"


def test_progress_is_kept_in_the_session_and_can_be_forgotten() -> None:
    def lesson() -> Lesson:
        return Lesson("Kernels", "See.", 5, [Question("One?", Number(1)), Question("Two?", Number(2))])

    first = lesson()
    first.questions[0].submit(1)
    first.questions[1].submit(1)
    assert first.progress == "1 of 2 answered"
    again = lesson()  # as when the cells are run again
    assert again.progress == "1 of 2 answered"
    assert [q.state for q in again.questions] == ["right", "open"]
    assert Lesson("Another", "See.", 5, [Question("One?", Number(1))]).progress == "0 of 1 answered"
    again.ask(Question("Three?", Number(3)))
    again.ask(Question("Three?", Number(3)))
    assert again.progress == "1 of 3 answered"
    again.start_over()
    assert again.progress == "0 of 3 answered"
    assert lesson().progress == "0 of 2 answered"


def test_text_stays_without_a_kernel_and_runs_no_scripts() -> None:
    nasty = "<script>alert(1)</script>"
    for widget in (Question(nasty, Number(1)), Lesson(nasty, nasty, 5)):
        assert nasty not in widget.still_html()
        assert html.escape(nasty) in widget.still_html()


LESSON = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from types import SimpleNamespace
from widgets import Choice, Lesson, Number, Question
bench = SimpleNamespace(frame=3)
lesson = Lesson("What a kernel looks for", "Tell a joint's own kernel from its neighbour's.", 15, [
    Question("How many frames does the clip have?", Number(60, unit="frames"), hints=["See the slider.", "Below 100."]),
    Question("Which joint moves most?", Choice({{"head": "It hardly moves.", "left wrist": True}}),
             answer="Left wrist: its speed has the highest peak in the timeline."),
    Question("Move the workbench to frame `24`.", lambda: bench.frame == 24 or f"You are at frame {{bench.frame}}.",
             answer=lambda: setattr(bench, "frame", 24)),
    Question("What breaks?", lambda: 1 / 0, answer="Nothing."),
])
lesson"""


@pytest.fixture(scope="module")
def lab_page(lab_window: Page, jupyter_lab: Lab) -> Iterator[Page]:
    """A notebook with a lesson of four questions."""
    shown = "from IPython.display import display\nfor question in lesson.questions:\n    display(question)"
    with opened(lab_window, jupyter_lab, "lesson.ipynb", LESSON, shown, width=1200, height=1400) as page:
        expect(page.locator(".dkd-question")).to_have_count(4)
        yield page


def test_a_lesson_is_answered_by_keyboard(lab_page: Page) -> None:
    page = lab_page
    cells = page.locator(".jp-Cell").count()
    number, choice, doing, broken = (page.locator(".dkd-question").nth(i) for i in range(4))
    progress = page.locator(".dkd-lesson [role=status]").first
    expect(progress).to_have_text("0 of 4 answered")
    # Every input has a name, and its group has the question.
    number.get_by_role("group", name="How many frames does the clip have?").get_by_role(
        "textbox", name="Your answer"
    ).focus()
    page.keyboard.type("59")
    page.keyboard.press("Enter")
    expect(number.locator(".dkd-said")).to_have_text("Not yet. It is more than that.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(number.get_by_role("listitem")).to_have_text(["See the slider."])
    expect(number.get_by_role("button", name="Hint 2 of 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(number.get_by_role("listitem")).to_have_text(["See the slider.", "Below 100."])
    expect(number.get_by_role("button", name="Hint")).to_have_count(0)
    expect(number.get_by_role("button", name="Check")).to_be_focused()
    number.get_by_role("textbox").fill("60")
    page.keyboard.press("Enter")
    expect(number.locator(".dkd-said")).to_have_text("Right.")
    expect(progress).to_have_text("1 of 4 answered")
    choice.get_by_role("radio", name="head").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(choice.locator(".dkd-said")).to_have_text("Not yet. It hardly moves.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(choice.locator(".dkd-said")).to_have_text(
        "Right. Left wrist: its speed has the highest peak in the timeline."
    )
    doing.get_by_role("button", name="Check").press("Space")
    expect(doing.locator(".dkd-said")).to_have_text("Not yet. You are at frame 3.")
    doing.get_by_role("button", name="Show the answer").press("Enter")
    expect(doing.locator(".dkd-said")).to_have_text("Answer. Done: look at the view.")
    assert python(page, "bench.frame") == 24
    broken.get_by_role("button", name="Check").click()
    expect(broken.locator(".dkd-said")).to_contain_text("The check could not run: ZeroDivisionError")
    expect(progress).to_have_text("2 of 4 answered, 1 shown")
    # In JupyterLab's command mode these would add, cut and convert cells.
    broken.get_by_role("button", name="Check").focus()
    for key in ("a", "b", "d", "d", "x", "m"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    screenshot(page, "lesson")


def test_start_over_forgets(lab_page: Page) -> None:
    lab_page.get_by_role("button", name="Start over").click()
    expect(lab_page.locator(".dkd-lesson [role=status]").first).to_have_text("0 of 4 answered")
    expect(lab_page.locator(".dkd-said").first).to_be_empty()
