"""Random walks through a run with updates: after every step a state rebuilt from history equals the live one."""

from __future__ import annotations

from brain import Brain, schedule_activity, start_timer
from hypothesis import given, settings
from hypothesis import strategies as st
from test_update import CAPABLE, STICKY, accept, place, reject, respond

from outlast.api.command.v1 import Command
from outlast.api.protocol.v1 import Message
from outlast.engine.execution import update

STEPS = st.lists(
    st.sampled_from(
        [
            "want",
            "poll",
            "accept",
            "reject",
            "respond",
            "commands",
            "fail",
            "signal",
            "activity",
            "second",
            "minute",
            "crash",
        ]
    ),
    max_size=30,
)


class Walk:
    """One run; each step does what its name says if the run is in the state for it."""

    def __init__(self) -> None:
        self.brain = Brain()
        self.sent = 0
        self.dropped = 0

    def step(self, name: str) -> None:
        brain = self.brain
        task = brain.state.task
        if name == "want":
            brain.want_task()
        elif name == "poll" and task is not None and not task.started:
            brain.poll()
        elif name in ("accept", "reject", "respond", "commands") and task is not None and task.started:
            self._complete(name)
        elif name == "fail" and task is not None and task.started:
            brain.fail_task()
        elif name == "signal":
            brain.signal()
        elif name == "activity" and brain.state.activities:
            brain.start_activity(next(iter(brain.state.activity_ids)))
        elif name in ("second", "minute"):
            self._tick(1 if name == "second" else 60)
        elif name == "crash" and (task is None or not task.speculative):
            brain.recover()

    def _complete(self, name: str) -> None:
        self.sent += 1
        messages: list[Message] = []
        commands: list[Command] = []
        if name == "accept":
            messages = [accept(f"u{self.sent}")]
        elif name == "reject":
            messages = [reject(f"u{self.sent}")]
        elif name == "respond":
            pending = [one for one, known in self.brain.state.updates.items() if not known.completed_event_id]
            messages = [respond(one) for one in pending]
        else:
            commands = [start_timer(f"t{self.sent}"), schedule_activity(f"a{self.sent}")]
        if name != "reject":
            commands += place(*messages)
        before = len(self.brain.events)
        outcome = self.brain.complete(
            *commands, messages=messages, capabilities=CAPABLE, sticky_attributes=STICKY if self.sent % 2 else {}
        )
        assert outcome.failure is None
        if outcome.reset_to is not None:
            self.dropped += 1
            assert len(self.brain.events) == before
            assert outcome.reset_to == self.brain.state.previous_started_event_id
        if name == "accept":
            assert update.reached(self.brain.state, f"u{self.sent}") == update.Reached(update.ACCEPTED)

    def _tick(self, seconds: float) -> None:
        due = self.brain.wakes_in
        self.brain.now += int(seconds * 1_000_000_000)
        if due is not None and due <= seconds:
            self.brain.tick(0)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_any_walk_keeps_history_and_state_in_step(steps: list[str]) -> None:
    walk = Walk()
    for step in steps:
        walk.step(step)
    assert not walk.brain.state.buffered or walk.brain.state.task is not None


def test_a_walk_that_drops() -> None:
    walk = Walk()
    for step in (
        "poll",
        "commands",
        "want",
        "poll",
        "reject",
        "want",
        "poll",
        "reject",
        "want",
        "signal",
        "poll",
        "reject",
    ):
        walk.step(step)
    assert walk.dropped == 2
