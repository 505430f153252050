"""Overlap policies: random lives of a schedule whose workflows start and close, checked after every step."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outlast.api.common.v1 import Memo, SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.history.v1 import HistoryEvent
from outlast.api.schedule.v1 import Schedule, SchedulePatch
from outlast.engine.schedule import action, advance, definition, due, patch, snapshot
from outlast.engine.schedule.draft import Draft
from outlast.engine.schedule.state import ScheduleState
from outlast.vocab.times import SECOND_NS

ACTION = {"workflow_id": "w", "workflow_type": {"name": "W"}, "task_queue": {"name": "q"}}
EPOCH = 1_700_000_000 * SECOND_NS
CANCEL, TERMINATE = _e.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER, _e.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER
COMPLETED = HistoryEvent(
    event_type=_e.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, workflow_execution_completed_event_attributes={}
)


class Life:
    """One schedule, whose workflows are started and closed by the test."""

    def __init__(self, overlap: int, **state: Any) -> None:
        self.now = EPOCH
        self.state = ScheduleState("ns", "s", "r")
        schedule = Schedule(
            spec={"interval": [{"interval": {"seconds": 60}}]},
            action={"start_workflow": ACTION},
            policies={"overlap_policy": overlap},
            state=state,
        )
        defined = definition.define(schedule, "schedule 's'")
        self.refused = 0
        self.replaces = overlap in (CANCEL, TERMINATE)
        self.change(lambda draft: draft.apply(definition.create(defined, Memo(), SearchAttributes(), "", draft.now)))

    def change(self, decide: Any) -> None:
        draft = Draft(self.state, self.now)
        before = snapshot.encode(self.state)
        advance.advance(draft)
        decide(draft)
        advance.advance(draft)
        assert snapshot.encode(self.state) == before, "a decision wrote to the state that it was forked from"
        self.state = snapshot.decode(snapshot.encode(draft.state))
        self.check()

    def check(self) -> None:
        state = self.state
        tracked = [start for start in state.starting if start.tracked]
        assert len(state.running) + len(tracked) <= 1, "two workflows overlap"
        taken = state.actions + self.refused + len(state.starting)
        numbered = state.next_number - 1
        unpermitted = numbered - taken - len(state.buffer) - state.overlapped
        assert unpermitted >= 0
        if not state.limited and not state.paused:
            assert not unpermitted or self.replaces, "an action is gone, and nothing says why"
        assert not state.buffer or state.running or tracked, "something waits for nothing"

    def pass_time(self, minutes: int) -> None:
        self.now += minutes * 60 * SECOND_NS
        self.change(lambda draft: None)

    def trigger(self, overlap: int) -> None:
        self.replaces = self.replaces or overlap in (CANCEL, TERMINATE)
        asked = SchedulePatch(trigger_immediately={"overlap_policy": overlap})
        self.change(lambda draft: draft.apply(patch.patch(draft.state, asked, draft.now)))

    def start(self, refuse: bool) -> None:
        for work in due.outstanding(self.state):
            if isinstance(work, due.StartWorkflow):
                number = work.start.number
                if refuse:
                    self.refused += 1
                    self.change(lambda draft: draft.apply(action.refused(draft.state, number)))
                else:
                    name = f"w{number}"
                    self.change(lambda draft: draft.apply(action.started(draft.state, number, name, name, draft.now)))
                return

    def close(self) -> None:
        for running in self.state.running:
            self.change(
                lambda draft: draft.apply(action.closed(draft.state, running.workflow_id, running.run_id, COMPLETED))
            )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass_time"), st.integers(0, 5)),
        st.tuples(st.just("trigger"), st.integers(0, 6)),
        st.tuples(st.just("start"), st.booleans()),
        st.tuples(st.just("close")),
    ),
    max_size=40,
)


@given(st.integers(1, 6), STEPS)
def test_any_life_keeps_the_rules(overlap: int, steps: list[tuple[Any, ...]]) -> None:
    life = Life(overlap)
    for name, *arguments in steps:
        getattr(life, name)(*arguments)
    for _ in range(200):
        life.start(refuse=False)
        life.close()
    assert not life.state.buffer
    assert not life.state.starting
    assert not life.state.running


@given(st.integers(1, 6), STEPS, st.integers(0, 5))
def test_no_more_actions_than_are_left(overlap: int, steps: list[tuple[Any, ...]], remaining: int) -> None:
    life = Life(overlap, limited_actions=True, remaining_actions=remaining)
    triggered = sum(name == "trigger" for name, *_ in steps)
    for name, *arguments in steps:
        getattr(life, name)(*arguments)
        assert life.state.remaining >= 0
    assert life.state.actions + len(life.state.starting) + life.refused <= remaining + triggered
