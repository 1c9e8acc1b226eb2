"""A run in a thread: start, pause, step, stop and resume."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from dkd.errors import ConfigError, RunBusyError, TrainingError
from dkd.machine import NICENESS
from dkd.training.record import Record
from dkd.training.session import TrainingSession
from dkd.training.trainer import train
from tests.support.dotted_people import dotted_people, quick
from tests.support.held import between_steps
from tests.support.server import PATIENCE_S, until


class Watch:
    """Record the notifications of a session and wait for others; the timeout only bounds a hang."""

    def __init__(self, session: TrainingSession):
        self.states: list[str] = []
        self.changed = threading.Condition()
        session.listen(self.hear)

    def hear(self, session: TrainingSession) -> None:
        with self.changed:
            if not self.states or self.states[-1] != session.state:
                self.states.append(session.state)
            self.changed.notify_all()

    def until(self, happened) -> None:
        with self.changed:
            assert self.changed.wait_for(happened, timeout=PATIENCE_S)


def make(folder: Path, *words: str) -> tuple[TrainingSession, Watch]:
    session = TrainingSession(folder, quick(*words), dotted_people(), [])
    return session, Watch(session)


def test_start_pause_step_stop_and_resume(tmp_path: Path) -> None:
    session, watch = make(tmp_path / "run", "steps=100000")
    assert session.state == "idle" and not session.active
    session.start()
    watch.until(lambda: len(session.records) >= 2)
    session.pause()
    assert session.state == "paused"
    before = settled(session)
    session.step(2)
    watch.until(lambda: session.steps_done == before + 2)
    assert settled(session) == before + 2 and session.state == "paused"
    session.resume()
    watch.until(lambda: session.steps_done >= before + 4)
    session.stop()
    assert session.state == "stopped" and not session.active
    done = session.steps_done
    assert session.run.steps_done() == done, "stopping saves"
    session.resume()
    watch.until(lambda: session.steps_done >= done + 1)
    session.stop()
    steps = [r.step for r in session.records]
    assert steps == list(range(1, len(steps) + 1)), "no step is lost or made twice"
    assert watch.states[0] == "starting" and watch.states[-1] == "stopped"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_a_session_yields_to_the_notebook(tmp_path: Path) -> None:
    """Its thread has a lower priority; that of the notebook, and of what comes later, stays."""

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority()
    session, watch = make(tmp_path / "run", "steps=1")
    seen: list[int] = []
    session.listen(lambda _: seen.append(priority()) if threading.current_thread() is session._thread else None)
    session.start()
    session.wait()
    assert session.state == "finished"
    assert set(seen) == {max(before, NICENESS)}
    assert priority() == before


def settled(session: TrainingSession) -> int:
    """Return the steps done after the current step has ended: one that began before the pause still counts."""
    until(lambda: between_steps(session))
    return session.steps_done


def test_a_session_may_begin_with_single_steps_and_ends_with_its_run(tmp_path: Path) -> None:
    session, watch = make(tmp_path / "run")
    session.step()
    watch.until(lambda: len(session.records) == 1)
    assert session.state == "paused"
    session.start()
    session.wait(PATIENCE_S)
    assert session.state == "finished"
    assert [r.step for r in session.records] == [1, 2, 3, 4]
    assert session.run.model_file.is_file()


def test_what_goes_wrong_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, _ = make(tmp_path / "run")
    monkeypatch.setattr("dkd.training.step.pose_loss", lambda maps, *_: maps.sum() * float("nan"))
    session.start()
    session.wait(PATIENCE_S)
    assert session.state == "failed"
    assert isinstance(session.error, TrainingError)
    monkeypatch.undo()
    session.start()
    session.wait(PATIENCE_S)
    assert (session.state, session.error) == ("finished", None)


def test_a_folder_that_is_taken_fails_the_session_not_the_run(tmp_path: Path) -> None:
    running = train(quick("steps=100000"), tmp_path / "run", people=dotted_people(), validation=[])
    next(running)
    session, _ = make(tmp_path / "run", "steps=100000")
    session.start()
    session.wait(PATIENCE_S)
    assert isinstance(session.error, RunBusyError)
    assert isinstance(next(running), Record)
    running.close()  # type: ignore[attr-defined]


def test_a_listener_that_fails_does_not_stop_the_run(tmp_path: Path) -> None:
    session, _ = make(tmp_path / "run")

    def broken(_: TrainingSession) -> None:
        raise ValueError("a bug in a view")

    end = session.listen(broken)
    session.start()
    session.wait(PATIENCE_S)
    assert session.state == "finished"
    end()
    end()  # twice does no harm


def test_the_active_session_of_a_folder_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    session = TrainingSession.on(folder, quick("steps=100000"))
    session._people, session._validation = dotted_people(), []
    assert TrainingSession.active_on(folder) is None
    session.start(paused=True)
    assert TrainingSession.on(folder, quick("steps=100000")) is session
    assert TrainingSession.active_on(str(folder)) is session
    with pytest.raises(ConfigError, match="with different settings"):
        TrainingSession.on(folder, quick("steps=7"))
    with pytest.raises(ConfigError, match="at least one step"):
        session.step(0)
    session.stop()
    assert TrainingSession.on(folder, quick("steps=7")) is not session
