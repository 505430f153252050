"""Whether a database is sound: what the server relies on, asked of every run. Nothing is changed.

Rule: a finding names the run, the rule that is broken and what was found. The state that a history is folded into is
the measure: ``engine.execution.snapshot`` compares it with the stored one as the tests of the engine do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from google.protobuf.message import DecodeError

from outlast.api.history.v1 import History, HistoryEvent
from outlast.engine.execution import due, snapshot
from outlast.engine.execution.state import ExecutionState
from outlast.engine.schedule import due as schedule_due
from outlast.engine.schedule import snapshot as schedule_snapshot
from outlast.storage.errors import StorageError
from outlast.storage.port import RunKey, VisibilityRow
from outlast.storage.sqlite_schema import NEWEST
from outlast.storage.sqlite_survey import StoredRun, Survey
from outlast.vocab.divisions import SCHEDULES, division, kind_of
from outlast.vocab.filters import Indexed

from . import schedule_list, visibility


class Finding(NamedTuple):
    """Something that is wrong."""

    subject: str
    """The run or the table."""
    rule: str
    """The name of the rule that is broken."""
    found: str
    """What was found instead."""


class Report(NamedTuple):
    """What a database is, and what is wrong with it."""

    path: Path
    schema: int
    runs: int
    events: int
    holder: str
    """Says who has it open; empty for nobody."""
    findings: list[Finding]


_GROWING: Final = ("history_length", "history_size_bytes", "state_transition_count")
"""Columns of the lists that are written with the next change that lists show, and not before."""
_FINDINGS_MAX: Final = 1000
"""A database that is broken everywhere is not told about row by row."""


def check(path: Path) -> Report:
    """Look at everything.

    Raises:
        StorageError: the file cannot be looked at: it is missing, no database of ours, or of a newer schema.
    """
    with Survey(path) as survey:
        findings: list[Finding] = [Finding(str(path), "integrity", text) for text in survey.integrity()]
        if survey.schema < NEWEST:
            # Opened by a server it would be brought up to date; the tables of today may be missing.
            holder = str(survey.holder or "")
            older = Finding(str(path), "schema", f"schema {survey.schema} of {NEWEST}; starting a server upgrades it")
            return Report(path, survey.schema, 0, 0, holder, [*findings, older])
        runs = events = 0
        try:
            current = {(key.namespace_id, key.workflow_id): key.run_id for key in survey.currents()}
            known: set[RunKey] = set()
            for run in survey.runs():
                runs += 1
                known.add(run.key)
                if kind_of(run.key.namespace_id) == SCHEDULES:
                    findings += _schedule(run, current=current.get(run.key[:2]))
                    continue
                history, faults = _history(run)
                events += len(history)
                findings += faults
                findings += _state(run, history, sound=not faults, current=current.get(run.key[:2]))
                if len(findings) >= _FINDINGS_MAX:
                    break
            else:
                findings += _pointers(current, known)
                findings += [
                    Finding(f"table {table}", "orphan rows", f"rows of run number {number}, which is not there")
                    for table, number in survey.orphans()
                ]
        except StorageError as error:
            findings.append(Finding(str(path), "readable", str(error)))
        return Report(path, survey.schema, runs, events, str(survey.holder or ""), findings[:_FINDINGS_MAX])


def _schedule(run: StoredRun, *, current: str | None) -> Iterator[Finding]:
    """A schedule has no history: its row and its ``wake_at`` have to follow from its snapshot."""
    subject = f"schedule {run.key.workflow_id!r}"
    try:
        state = schedule_snapshot.decode(run.snapshot)
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        yield Finding(subject, "snapshot is readable", str(error) or "it is empty")
        return
    key = (division(state.namespace_id, SCHEDULES), state.schedule_id, state.run_id)
    if key != run.key:
        yield Finding(subject, "snapshot is of this schedule", f"it is of {state.schedule_id!r}, run {state.run_id}")
        return
    if current != run.key.run_id:
        yield Finding(subject, "a schedule is the current one of its id", f"the current one is {current}")
    expected = schedule_due.wake_at(state)
    if run.wake_at != expected:
        yield Finding(subject, "wake_at is the next time", f"wake_at is {run.wake_at}, the next time {expected}")
    if run.visibility != schedule_list.row(state):
        yield Finding(subject, "row in the lists equals state", "it says something else, or is not there")
    yield from _indexed(subject, run.indexed, schedule_list.indexed(state))


def _history(run: StoredRun) -> tuple[list[HistoryEvent], list[Finding]]:
    """The events of a run, and what is wrong with them: their ids are 1, 2, 3 ..., and batches begin where they say."""
    subject, events, findings = str(run.key), list[HistoryEvent](), list[Finding]()
    for first, data in run.batches:
        try:
            batch = History.FromString(data).events
        except DecodeError:
            return events, [Finding(subject, "history is readable", f"the batch from event {first} on is no events")]
        if not batch or batch[0].event_id != first:
            begins = batch[0].event_id if batch else "nothing"
            findings.append(Finding(subject, "batches", f"the batch of event {first} begins with {begins}"))
        for event in batch:
            expected = events[-1].event_id + 1 if events else 1
            if event.event_id != expected:
                findings.append(
                    Finding(subject, "event ids 1..n", f"event {event.event_id} comes where {expected} should")
                )
            events.append(event)
    if not events:
        findings.append(Finding(subject, "history is there", "there is not one event"))
    return events, findings


def _state(run: StoredRun, history: list[HistoryEvent], *, sound: bool, current: str | None) -> Iterator[Finding]:
    subject = str(run.key)
    try:
        state = snapshot.decode(run.snapshot)
    except (msgspec.DecodeError, ValueError, IndexError) as error:
        yield Finding(subject, "snapshot is readable", str(error) or "it is empty")
        return
    if (state.namespace_id, state.workflow_id, state.run_id) != run.key:
        yield Finding(subject, "snapshot is of this run", f"it is of {state.workflow_id!r}, run {state.run_id}")
        return
    last = history[-1].event_id if history else 0
    if not state.buffered and state.next_event_id != last + 1:
        yield Finding(
            subject, "history is complete", f"it ends with event {last}, the state expects {state.next_event_id - 1}"
        )
    elif sound and not state.buffered:
        yield from _rebuilt(subject, state, history)
    yield from _listed(subject, state, run.visibility, run.indexed)
    if state.running and current != run.key.run_id:
        yield Finding(subject, "an open run is the current one", f"the current run of its workflow id is {current}")
    expected = due.next_deadline(state)
    if due.has_open_work(state):
        if run.wake_at is None:
            yield Finding(
                subject, "open work wakes the server", "it has open work and no wake_at: a restart forgets it"
            )
    elif run.wake_at != expected:
        yield Finding(subject, "wake_at is the next deadline", f"wake_at is {run.wake_at}, the deadline {expected}")


def _rebuilt(subject: str, state: ExecutionState, history: list[HistoryEvent]) -> Iterator[Finding]:
    try:
        rebuilt = snapshot.historic(snapshot.rebuild(state.namespace_id, state.workflow_id, state.run_id, history))
    except Exception as error:
        yield Finding(subject, "history can be folded", f"{type(error).__name__}: {error}")
        return
    stored = snapshot.historic(state)
    for name, value in stored.items():
        if rebuilt[name] != value:
            yield Finding(
                subject,
                "rebuilt state equals snapshot",
                f"{name} is {_short(value)}, by the history {_short(rebuilt[name])}",
            )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


def _listed(
    subject: str, state: ExecutionState, row: VisibilityRow | None, indexed: list[tuple[str, object]]
) -> Iterator[Finding]:
    if row is None:
        yield Finding(subject, "a run has a row in the lists", "it has none")
        return
    expected = visibility.row(state)
    for name in VisibilityRow.__slots__:
        found, wanted = getattr(row, name), getattr(expected, name)
        if found != wanted and name not in _GROWING:
            yield Finding(
                subject, "row in the lists equals state", f"{name} is {_short(found)}, the state says {_short(wanted)}"
            )
    yield from _indexed(subject, indexed, visibility.indexed(state))


def _indexed(subject: str, found: list[tuple[str, object]], wanted: Indexed) -> Iterator[Finding]:
    wanted_values = sorted(((attribute.key, value) for attribute, values in wanted for value in values), key=repr)
    if sorted(found, key=repr) != wanted_values:
        yield Finding(subject, "search attributes are indexed", f"{_short(found)} for {_short(wanted_values)}")


def _pointers(current: dict[tuple[str, str], str], known: set[RunKey]) -> Iterator[Finding]:
    for (namespace_id, workflow_id), run_id in current.items():
        if RunKey(namespace_id, workflow_id, run_id) not in known:
            yield Finding(
                f"workflow {workflow_id!r}", "the current run is there", f"the pointer names run {run_id}, which is not"
            )
