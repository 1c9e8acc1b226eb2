"""What makes a notebook a lesson: questions that are answered by doing, and checks that say whether the answer holds.

A check looks at numbers, at a choice, or at the state of what the student works with (a workbench's frame, a trace, a
list of interventions). It runs in the kernel, headless too: a notebook can assert that the intended answer passes.
"""

from __future__ import annotations

import html
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import traitlets
from IPython.display import HTML, display

from dkd.errors import ConfigError
from widgets.core.library import ModuleWidget, script
from widgets.core.view import describe_error

_progress: dict[str, dict[str, str]] = {}  # of this session: lesson's title → question's text → its state


@dataclass(frozen=True)
class Number:
    """An answer that is a number.

    Attributes:
        right: the number, or a function that computes it when it is needed.
        tolerance: how far off an answer may be, in the same unit.
        unit: is shown behind the field.
    """

    right: float | Callable[[], float]
    tolerance: float = 0.0
    unit: str = ""

    def value(self) -> float:
        """The right number."""
        return float(self.right() if callable(self.right) else self.right)

    def check(self, given: object) -> bool | str:
        """``True``, or what to do."""
        try:
            number = float(str(given).replace(",", ".").replace("−", "-"))
        except ValueError:
            return "Please type a number." if given in (None, "") else f"{given!r} is no number."
        right = self.value()
        if abs(number - right) <= self.tolerance + 1e-9 * abs(right):
            return True
        return "It is more than that." if number < right else "It is less than that." if number > right else "No."

    def say(self) -> str:
        """The right answer in words."""
        return f"It is {self.value():g} {self.unit}".rstrip() + "."


@dataclass(frozen=True)
class Choice:
    """An answer that is one of a few.

    Attributes:
        options: each option, and ``True`` for a right one, or what is to be said to one who takes it.
    """

    options: Mapping[str, bool | str]

    def __post_init__(self) -> None:
        if len(self.options) < 2 or not any(verdict is True for verdict in self.options.values()):
            raise ConfigError(
                f"expected two options or more, one of them True, got {dict(self.options)!r}; "
                'write Choice({"left wrist": "It hardly moves.", "right wrist": True})'
            )

    def check(self, given: object) -> bool | str:
        """``True``, or why not."""
        if given in (None, ""):
            return "Please choose one."
        if given not in self.options:
            return f"{given!r} is none of: {', '.join(self.options)}."
        return self.options[str(given)]

    def say(self) -> str:
        """The right answer in words."""
        return " or ".join(option for option, verdict in self.options.items() if verdict is True) + "."


@dataclass(frozen=True)
class Verdict:
    """What a check says: true where the answer holds; ``text`` is what is said besides, if anything."""

    holds: bool
    text: str

    def __bool__(self) -> bool:
        return self.holds


class _Told(ModuleWidget):
    """A widget of words, which leaves them in the notebook for one who reads it without a kernel."""

    _filmstrip = traitlets.Unicode().tag(sync=True)
    _error = traitlets.Unicode("").tag(sync=True)

    def still_html(self) -> str:
        """What stays in the notebook without a kernel."""
        raise NotImplementedError

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        display(*bundle if isinstance(bundle, tuple) else (bundle,), raw=True)
        display(HTML(f'<div data-dkd-filmstrip="{self._filmstrip}">{self.still_html()}</div>'))


class Question(_Told):
    """A question in words, an input that fits, a Check button, hints one at a time, and the answer for who wants it.

    Args:
        text: the question; words in backticks are set as code.
        check: a :class:`Number`, a :class:`Choice`, or, where the answer is to do something in a view, a function
            without arguments that returns ``True`` (or anything true), or a sentence that says what is not there yet.
        hints: sentences, from a nudge to nearly all.
        answer: a sentence that states the answer and says why; it follows a right answer, too. Or a function that does
            it (moves the workbench there) and may return such a sentence. A Number and a Choice can do without.

    Attributes:
        state: ``"open"``, ``"right"``, or ``"shown"`` where the answer was shown before it was found.

    Raises:
        ConfigError: there is no way to say or do the answer.
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
        """What the check says to ``value`` (nothing, where the answer is done in a view); nothing is shown or counted.

        An exception in the check is a verdict, too: one line that tells what happened.
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
        """What the Check button does: try the answer, show what is said to it, and count it if it holds."""
        verdict = self.try_answer(value)
        if verdict:
            if self.state == "open":
                self.state = "right"
            self._say(self._answer if isinstance(self._answer, str) else "", label="Right")
        else:
            self._say(verdict.text, label="Not yet")
        return verdict

    def hint(self) -> str:
        """Show the next hint; returns it, ``""`` after the last."""
        shown = self._said["hints"]
        if len(shown) == len(self._hints):
            return ""
        self._said = {**self._said, "hints": list(self._hints[: len(shown) + 1])}
        return self._hints[len(shown)]

    def show_answer(self) -> str:
        """State the answer, or do it; returns what is said. The question counts as shown unless it was answered."""
        try:
            said = self._answer() if callable(self._answer) else self._answer
            if said is None and isinstance(self._check, (Number, Choice)):
                said = self._check.say()
        except Exception as error:
            self._say(f"The answer could not be shown: {describe_error(error, 'in the answer')}")
            return self._said["text"]
        if self.state == "open":
            self.state = "shown"
        self._say(str(said or "It is done: look at the view."), label="Answer")
        return self._said["text"]

    def recall(self, state: str) -> None:
        """Be in a state that was reached before, or ``"open"`` as at first."""
        self.state = state
        self._said = {}
        self._say({"open": "", "right": "You have answered this one.", "shown": "The answer was shown."}[state])

    def still_html(self) -> str:
        """What stays in the notebook without a kernel."""
        return f"<p><b>Question.</b> {html.escape(self.text)}</p>"

    def _say(self, text: str, label: str = "") -> None:
        self._said = {"state": self.state, "label": label, "text": text, "hints": self._said.get("hints", [])}

    def _on_message(self, _widget: Any, content: dict, _buffers: list) -> None:
        action = {"check": lambda: self.submit(content.get("value")), "hint": self.hint, "answer": self.show_answer}
        try:
            action[content["type"]]()
        finally:
            self.send({"type": "done"})


class Lesson(_Told):
    """The head of a lesson: what it is for, how long it takes, and how many of its questions are answered.

    What was answered is kept as long as the kernel runs, also when the cells are run again.

    Args:
        title: also the name under which answers are kept.
        purpose: what one can do after it, in a sentence.
        minutes: how long it takes, with the questions.
        questions: those that count; each is displayed where the notebook wants it. :meth:`ask` adds one.
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
        """Let ``question`` count, in place of one with the same text; returns it, to be displayed."""
        self.questions = [q for q in self.questions if q.text != question.text] + [question]
        if state := self._kept.get(question.text):
            question.recall(state)
        question.observe(lambda change: self._note(question, change["new"]), "state")
        self._count()
        return question

    @property
    def progress(self) -> str:
        """``"2 of 4 answered, 1 shown"``."""
        return self._counted["text"]

    def start_over(self) -> None:
        """Forget what was answered."""
        for question in self.questions:
            question.recall("open")

    def still_html(self) -> str:
        """What stays in the notebook without a kernel."""
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
