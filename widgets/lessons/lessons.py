"""Lessons in notebooks: questions that students answer by working with the views, and checks of their answers.

A check examines a number, a choice, or the state of what the student works with (a workbench's frame, a trace, a list
of interventions). It runs in the kernel, also without a page, so that a notebook can assert that the intended answer
passes.
"""

from __future__ import annotations

import html
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from dkd.errors import ConfigError, checked
from widgets.core.filmstrip import display_with_still
from widgets.core.library import ModuleWidget, script
from widgets.core.view import describe_error

_progress: dict[str, dict[str, str]] = {}  # in this session: lesson's title → question's text → its state


@checked
@dataclass(frozen=True)
class Number:
    """An answer that is a number.

    Attributes:
        right: the correct number, or a function that computes it when needed.
        tolerance: maximum deviation of an answer, in the same unit.
        unit: unit shown after the field.
    """

    right: float | Callable[[], float]
    tolerance: float = 0.0
    unit: str = ""

    def value(self) -> float:
        """Return the correct number."""
        return float(self.right() if callable(self.right) else self.right)

    def check(self, given: object) -> bool | str:
        """Return ``True``, or a sentence that says what to do."""
        try:
            number = float(str(given).replace(",", ".").replace("−", "-"))
        except ValueError:
            is_empty = given is None or isinstance(given, str) and not given
            return "Please type a number." if is_empty else f"{given!r} is not a number."
        right = self.value()
        if abs(number - right) <= self.tolerance + 1e-9 * abs(right):
            return True
        return "It is more than that." if number < right else "It is less than that." if number > right else "No."

    def say(self) -> str:
        """Return the correct answer in words."""
        return f"It is {self.value():g} {self.unit}".rstrip() + "."


@checked
@dataclass(frozen=True)
class Choice:
    """An answer that is one of a few options.

    Attributes:
        options: options, each with ``True`` if it is correct, or a sentence shown to a student who chooses it.
    """

    options: Mapping[str, bool | str]

    def __post_init__(self) -> None:
        if len(self.options) < 2 or not any(verdict is True for verdict in self.options.values()):
            raise ConfigError(
                f"expected two options or more, one of them True, got {dict(self.options)!r}; "
                'write Choice({"left wrist": "It hardly moves.", "right wrist": True})'
            )

    def check(self, given: object) -> bool | str:
        """Return ``True``, or a sentence that says why not."""
        if given is None or isinstance(given, str) and not given:
            return "Please choose one."
        if not isinstance(given, str) or given not in self.options:
            return f"{given!r} is not one of: {', '.join(self.options)}."
        return self.options[given]

    def say(self) -> str:
        """Return the correct answer in words."""
        return " or ".join(option for option, verdict in self.options.items() if verdict is True) + "."


@dataclass(frozen=True)
class Verdict:
    """Result of a check: true if the answer is correct; ``text`` is an optional explanation."""

    holds: bool
    text: str

    def __bool__(self) -> bool:
        return self.holds


class _TextWidget(ModuleWidget):
    """A widget with text that stays in the notebook for readers without a kernel."""

    _filmstrip = traitlets.Unicode().tag(sync=True)
    _error = traitlets.Unicode("").tag(sync=True)

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook without a kernel."""
        raise NotImplementedError

    def _ipython_display_(self) -> None:
        display_with_still(self, f'<div data-dkd-filmstrip="{self._filmstrip}">{self.still_html()}</div>')


class Question(_TextWidget):
    """A question with a matching input, a Check button, hints one at a time, and the answer on request.

    Args:
        text: the question; words in backticks are shown as code.
        check: a :class:`Number`, a :class:`Choice`, or, if the answer is an action in a view, a function without
            arguments that returns ``True`` (or anything true), or a sentence that says what is missing.
        hints: sentences, from a small hint to nearly the full answer.
        answer: a sentence that states and explains the answer, also shown after a correct answer; or a function that
            performs it (moves the workbench there) and may return such a sentence. Optional for Number and Choice.

    Attributes:
        state: ``"open"``, ``"right"``, or ``"shown"`` if the answer was shown before it was found.

    Raises:
        ConfigError: there is no way to state or perform the answer.
    """

    _module = script("lessons/question.js")
    _asked = traitlets.Dict().tag(sync=True)
    _said = traitlets.Dict().tag(sync=True)
    state = traitlets.Enum(("open", "right", "shown"), "open")

    def __init__(
        self,
        text: str,
        check: Number | Choice | Callable[[], object],
        *,
        hints: Sequence[str] = (),
        answer: str | Callable[[], object] | None = None,
    ):
        if answer is None and not isinstance(check, (Number, Choice)):
            raise ConfigError(f"expected an answer to {text!r}, got none; give a sentence, or a function that does it")
        self._check, self._hints, self._answer = check, tuple(hints), answer
        kind = {Number: "number", Choice: "choice"}.get(type(check), "do")
        asked = {
            "text": text,
            "kind": kind,
            "options": list(check.options) if isinstance(check, Choice) else [],
            "unit": check.unit if isinstance(check, Number) else "",
            "hints": len(self._hints),
        }
        super().__init__(_asked=asked, _filmstrip=f"dkd-{uuid.uuid4().hex[:12]}")
        self._say("")
        self.on_msg(self._on_message)

    @property
    def text(self) -> str:
        """The question."""
        return self._asked["text"]

    def try_answer(self, value: object = None) -> Verdict:
        """Check ``value`` (omit it if the answer is an action in a view) without showing or counting anything.

        An exception in the check also gives a verdict, with one line about the error.
        """
        try:
            said = self._check.check(value) if isinstance(self._check, (Number, Choice)) else self._check()
        except NameError as error:
            return Verdict(False, f"The check could not run: {error}. Run the cells above first.")
        except Exception as error:
            return Verdict(False, f"The check could not run: {describe_error(error, 'in the check')}")
        if isinstance(said, str):
            return Verdict(False, said)
        return Verdict(bool(said), "")

    def submit(self, value: object = None) -> Verdict:
        """Check the answer like the Check button: show the verdict, and count the answer if it is correct."""
        verdict = self.try_answer(value)
        if verdict:
            if self.state == "open":
                self.state = "right"
            self._say(self._answer if isinstance(self._answer, str) else "", label="Right")
        else:
            self._say(verdict.text, label="Not yet")
        return verdict

    def hint(self) -> str:
        """Show the next hint and return it; ``""`` after the last one."""
        shown = self._said["hints"]
        if len(shown) == len(self._hints):
            return ""
        self._said = {**self._said, "hints": list(self._hints[: len(shown) + 1])}
        return self._hints[len(shown)]

    def show_answer(self) -> str:
        """State or perform the answer and return the text. The question counts as shown unless answered before."""
        try:
            said = self._answer() if callable(self._answer) else self._answer
            if said is None and isinstance(self._check, (Number, Choice)):
                said = self._check.say()
        except Exception as error:
            self._say(f"The answer could not be shown: {describe_error(error, 'in the answer')}")
            return self._said["text"]
        if self.state == "open":
            self.state = "shown"
        self._say(str(said or "Done: look at the view."), label="Answer")
        return self._said["text"]

    def recall(self, state: str) -> None:
        """Restore a state that was reached before, or the initial ``"open"``."""
        self.state = state
        self._said = {}
        self._say({"open": "", "right": "You have answered this one.", "shown": "The answer was shown."}[state])

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook without a kernel."""
        return f"<p><b>Question.</b> {html.escape(self.text)}</p>"

    def _say(self, text: str, label: str = "") -> None:
        self._said = {"state": self.state, "label": label, "text": text, "hints": self._said.get("hints", [])}

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        action = {"check": lambda: self.submit(content.get("value")), "hint": self.hint, "answer": self.show_answer}
        try:
            action[content["type"]]()
        finally:
            self.send({"type": "done"})


class Lesson(_TextWidget):
    """The head of a lesson: its purpose, its duration, and how many of its questions are answered.

    Answers are kept while the kernel runs, also when the cells are run again.

    Args:
        title: title of the lesson, under which answers are kept.
        purpose: what students can do after the lesson, in a sentence.
        minutes: duration including the questions.
        questions: the questions that count, displayed anywhere in the notebook. :meth:`ask` adds one.
    """

    _module = script("lessons/lesson.js")
    _about = traitlets.Dict().tag(sync=True)
    _counted = traitlets.Dict().tag(sync=True)

    def __init__(self, title: str, purpose: str, minutes: float, questions: Sequence[Question] = ()):
        about = {"title": title, "purpose": purpose, "minutes": f"{minutes:g}"}
        super().__init__(_about=about, _filmstrip=f"dkd-{uuid.uuid4().hex[:12]}")
        self.questions: list[Question] = []
        self._count()
        self.on_msg(lambda *_: self.start_over())
        for question in questions:
            self.ask(question)

    def ask(self, question: Question) -> Question:
        """Add ``question``, replacing one with the same text, and return it for display."""
        self.questions = [q for q in self.questions if q.text != question.text] + [question]
        if state := self._kept.get(question.text):
            question.recall(state)
        question.observe(lambda change: self._note(question, change["new"]), "state")
        self._count()
        return question

    @property
    def progress(self) -> str:
        """Return the progress as text, such as ``"2 of 4 answered, 1 shown"``."""
        return self._counted["text"]

    def start_over(self) -> None:
        """Clear all answers."""
        for question in self.questions:
            question.recall("open")

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook without a kernel."""
        title, purpose, minutes = (html.escape(self._about[name]) for name in ("title", "purpose", "minutes"))
        return f"<h2>{title}</h2><p>{purpose}</p><p>About {minutes} minutes.</p>"

    @property
    def _kept(self) -> dict[str, str]:
        return _progress.setdefault(self._about["title"], {})

    def _note(self, question: Question, state: str) -> None:
        if state == "open":
            self._kept.pop(question.text, None)
        else:
            self._kept[question.text] = state
        self._count()

    def _count(self) -> None:
        states = [q.state for q in self.questions]
        right, shown, of = states.count("right"), states.count("shown"), len(states)
        text = f"{right} of {of} answered" + (f", {shown} shown" if shown else "")
        self._counted = {"text": text, "right": right, "of": of}
