"""What a run notes from time to time, so that another run can continue it without repeating it from its start."""

from __future__ import annotations

from typing import Any

from dkd.tracking.body import Body

NOTED_EVERY = 32  # frames: a run that continues another one repeats fewer than this of what is remembered of the body
STATES = 32  # of a model, at most


class Notes:
    """Notes of one run, by the number of frames before.

    Args:
        keeps_states: whether to note states of the model: for one whose state cannot be made from recorded data.

    Attributes:
        bodies: what was remembered of the body after every :data:`NOTED_EVERY`-th frame, and the last frame that was
            not dropped.
        states: states of the model at regular distances, which double when there are more than :data:`STATES`;
            ``None`` if they are not kept.
    """

    def __init__(self, keeps_states: bool):
        self.bodies: dict[int, tuple[Body, int]] = {}
        self.states: dict[int, Any] | None = {} if keeps_states else None

    def note_body(self, t: int, body: Body, seen_at: int) -> None:
        """Note what is remembered of the body after ``t`` frames, if it is time."""
        if t % NOTED_EVERY == 0:
            self.bodies[t] = body.copy(), seen_at

    def note_state(self, t: int, state: Any) -> None:
        """Note the state of the model after ``t`` frames, if it is time."""
        if self.states is None:
            return
        distance = min(self.states, default=NOTED_EVERY)
        if t % distance == 0:
            self.states[t] = state
        if len(self.states) > STATES:
            self.states = {at: known for at, known in self.states.items() if at % (2 * distance) == 0}

    def last_state(self, t: int) -> tuple[int, Any]:
        """Return the number of frames and the state of the last note after at most ``t`` frames; 0 if there is none."""
        known = self.states or {}
        at = max((one for one in known if one <= t), default=0)
        return at, known.get(at)

    def until(self, t: int) -> Notes:
        """Return the notes after at most ``t`` frames."""
        made = Notes(self.states is not None)
        made.bodies = {at: noted for at, noted in self.bodies.items() if at <= t}
        if self.states is not None:
            made.states = {at: state for at, state in self.states.items() if at <= t}
        return made
