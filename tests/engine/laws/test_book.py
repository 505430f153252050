"""The book of laws is complete, and the engine keeps every line of it, quiet and busy."""

from __future__ import annotations

import re
import sys

import pytest
from activity_cells import ACTIVITY
from brain import Brain
from cells import Table, outcome
from command_cells import BAD, COMMAND, GOOD
from family_cells import CANCEL, CHILD, SIGNAL
from task_cells import TASK, TIMER, UPDATE

from outlast.api.enums import v1 as e
from outlast.engine.execution import activity_timeout, child_workflow, tables
from outlast.vocab.attributes import EVENT_FIELD, EVENT_NAMES

BOOK = (COMMAND, TASK, ACTIVITY, TIMER, CHILD, SIGNAL, CANCEL, UPDATE)
PAGES = [pytest.param(table, state, id=f"{table.noun}, {state}") for table in BOOK for state in table.states]


_quiet: dict[tuple[str, str, str], tuple[str, Brain]] = {}


def quiet(table: Table, state: str, name: str) -> tuple[str, Brain]:
    """The outcome of a cell in quiet, tried once."""
    key = (table.noun, state, name)
    if key not in _quiet:
        _quiet[key] = outcome(table, state, name)
    return _quiet[key]


@pytest.mark.parametrize(("table", "state"), PAGES)
def test_the_engine_keeps_the_law(table: Table, state: str) -> None:
    assert {name: quiet(table, state, name)[0] for name in table.inputs} == table.laws[state]


@pytest.mark.parametrize(("table", "state"), [page for page in PAGES if page.values[0] not in (COMMAND, TASK)])
def test_a_workflow_task_that_runs_delays_and_changes_nothing(table: Table, state: str) -> None:
    assert {name: outcome(table, state, name, busy=True)[0] for name in table.inputs} == table.laws[state]


def test_the_book_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """Every state times every input has a law; every command, timeout and event of the tables has its place."""
    lacking = [line for table in BOOK for line in table.missing()]
    assert not lacking, "\n".join(lacking)
    assert set(GOOD) == set(BAD) == set(tables.ON_COMMAND), "a command without a line in command_cells"
    timeouts = {f"timeout {e.TimeoutType.Name(kind).removeprefix('TIMEOUT_TYPE_')}" for kind in activity_timeout._NAMES}
    assert timeouts <= set(ACTIVITY.inputs), "an activity timeout without a line"
    endings = {EVENT_NAMES[kind].removeprefix("ChildWorkflowExecution") for kind in child_workflow.CLOSING_INITIATED_ID}
    told = {name.removeprefix("news: it ").title().replace(" ", "") for name in CHILD.inputs}
    assert endings <= told, "an ending of children without a line"
    seen = seen_events()
    unseen = {EVENT_NAMES[kind] for kind in tables.ON_EVENT if EVENT_NAMES[kind] not in seen}
    assert not unseen, f"no law brings about {sorted(unseen)}"
    counts = [len(list(table.cells())) for table in BOOK]
    lines = [
        f"{table.noun:32} {len(table.states):3} states x {len(table.inputs):3} inputs = {count:4} laws"
        for table, count in zip(BOOK, counts, strict=True)
    ]
    lines.append(
        f"{'in all':32} {sum(counts)} laws: {len(GOOD)} of {len(tables.ON_COMMAND)} commands, "
        f"{len(tables.ON_EVENT) - len(unseen)} of {len(tables.ON_EVENT)} events, "
        f"{len(timeouts)} of {len(activity_timeout._NAMES)} activity timeouts; {len(lacking)} combinations lack one"
    )
    with capsys.disabled():
        sys.stdout.write("\n" + "".join(f"  {line}\n" for line in lines))


def seen_events() -> set[str]:
    """The names of all events that any cell brings about."""
    return {name for brain in runs() for name in brain.names}


def runs() -> list[Brain]:
    return [quiet(table, state, name)[1] for table in BOOK for state, name in table.cells()]


def test_every_event_stands_where_it_may() -> None:
    """Of all histories of the book: ids without a gap, references backwards, ends after begins, the close last."""
    for brain in runs():
        names = brain.names
        assert names[0] == "WorkflowExecutionStarted"
        closing = [
            index
            for index, name in enumerate(names)
            if re.fullmatch(r"WorkflowExecution(Completed|Failed|Canceled|Terminated|TimedOut|ContinuedAsNew)", name)
        ]
        assert closing == ([] if brain.state.running else [len(names) - 1]), names
        for index, name in enumerate(names):
            if name in ("WorkflowTaskCompleted", "WorkflowTaskFailed"):
                ended = getattr(brain.events[index], EVENT_FIELD[brain.events[index].event_type])
                withdrawn = not ended.started_event_id
                assert names[index - 1] == ("WorkflowTaskScheduled" if withdrawn else "WorkflowTaskStarted"), names
                assert not withdrawn or names[index + 1] == "WorkflowExecutionPaused", names
            for field in ("scheduled_event_id", "started_event_id", "initiated_event_id", "accepted_event_id"):
                attributes = getattr(brain.events[index], brain.events[index].WhichOneof("attributes"))
                assert 0 <= getattr(attributes, field, 0) <= index, f"{name} refers to {field}"
