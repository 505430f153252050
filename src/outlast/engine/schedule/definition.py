"""What users set of a schedule: created, and replaced as a whole.

Source: CreateSchedule, UpdateSchedule; rules 3.12.4 to 3.12.6.
"""

from __future__ import annotations

import msgspec

from outlast.api.common.v1 import Memo, SearchAttributes
from outlast.api.enums import v1 as _e
from outlast.api.schedule.v1 import Schedule
from outlast.vocab import limits
from outlast.vocab.errors import FailedPrecondition, InvalidArgument
from outlast.vocab.times import from_duration

from ..execution import start as starting
from ..transition import NOTHING, Transition
from . import action, patch, spec
from .state import ScheduleState, Start

_TOKEN_BYTES = 8


class Definition(msgspec.Struct, frozen=True):
    """A schedule as it was asked for, checked and with the defaults filled in. The messages are serialized."""

    spec: bytes
    action: bytes
    overlap: int
    catchup_ns: int
    pause_on_failure: bool
    keep_workflow_id: bool
    notes: str
    paused: bool
    limited: bool
    remaining: int


def define(schedule: Schedule, subject: str) -> Definition:
    """Check a schedule.

    Raises:
        InvalidArgument: with the field, the rule and the cure.
    """
    policies, state = schedule.policies, schedule.state
    patch.check_policy(policies.overlap_policy, subject)
    catchup_ns = limits.CATCHUP_WINDOW_DEFAULT_NS
    if policies.HasField("catchup_window"):
        catchup_ns = max(from_duration(policies.catchup_window), limits.CATCHUP_WINDOW_MIN_NS)
    if state.remaining_actions < 0:
        raise InvalidArgument(f"{subject}: {state.remaining_actions} remaining actions; give 0 or more")
    defined = Definition(
        spec=spec.canonical(schedule.spec).SerializeToString(deterministic=True),
        action=schedule.action.SerializeToString(deterministic=True),
        overlap=policies.overlap_policy or _e.SCHEDULE_OVERLAP_POLICY_SKIP,
        catchup_ns=catchup_ns,
        pause_on_failure=policies.pause_on_failure,
        keep_workflow_id=policies.keep_original_workflow_id,
        notes=state.notes,
        paused=state.paused,
        limited=state.limited_actions,
        remaining=state.remaining_actions,
    )
    if schedule.action.HasField("start_workflow"):
        _check_action(schedule, defined, subject)
    return defined


def _check_action(schedule: Schedule, defined: Definition, subject: str) -> None:
    workflow = schedule.action.start_workflow
    if workflow.cron_schedule:
        raise InvalidArgument(
            f"{subject}: its workflow has a cron_schedule; say when it starts in the schedule's spec alone"
        )
    if workflow.workflow_id_reuse_policy not in (
        _e.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED,
        _e.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    ):
        raise InvalidArgument(
            f"{subject}: its workflow has a workflow_id_reuse_policy; every start has an id of its own, so leave it out"
        )
    # Checked as the start that it will be one day.
    example = ScheduleState("", "", "", action=defined.action)
    starting.validate(action.start_request(example, Start(1, 0, 0), ""))
    if not workflow.workflow_id:
        raise InvalidArgument(f"{subject}: its workflow has no workflow_id; give the beginning of the ids")


# -- decisions -------------------------------------------------------------------------------------------------------


def create(defined: Definition, memo: Memo, attributes: SearchAttributes, request_id: str, now: int) -> Transition:
    """The first change of a new schedule."""
    return Transition(folds=((on_created, now, request_id), (on_listed, memo, attributes), (on_defined, defined, None)))


def update(
    state: ScheduleState,
    defined: Definition,
    *,
    token: bytes,
    memo: Memo | None,
    attributes: SearchAttributes | None,
    request_id: str,
    now: int,
) -> Transition:
    """Replace what users set; memo and search attributes stay as they are where None is given.

    Raises:
        FailedPrecondition: the conflict token is not that of the schedule as it is.
    """
    if request_id and request_id in state.request_ids:
        return NOTHING
    if token and token != token_of(state):
        raise FailedPrecondition(
            f"schedule {state.schedule_id!r} has changed since the conflict token was given out; describe it and apply "
            "the update to what it is now"
        )
    folds: list[tuple[object, ...]] = []
    if request_id:
        folds.append((patch.on_request, request_id, None))
    if memo is not None or attributes is not None:
        folds.append((on_listed, memo, attributes))
    folds += [(on_defined, defined, None), (on_updated, now, None)]
    return Transition(folds=tuple(folds))  # type: ignore[arg-type]


def token_of(state: ScheduleState) -> bytes:
    """The conflict token."""
    return state.token.to_bytes(_TOKEN_BYTES)


# -- folds -----------------------------------------------------------------------------------------------------------


def on_created(state: ScheduleState, now: int, request_id: str) -> None:
    state.created_at = state.done_until = now
    state.create_request_id = request_id


def on_listed(state: ScheduleState, memo: Memo | None, attributes: SearchAttributes | None) -> None:
    if memo is not None:
        state.memo = memo.SerializeToString(deterministic=True)
    if attributes is not None:
        state.search_attributes = attributes.SerializeToString(deterministic=True)


def on_defined(state: ScheduleState, defined: Definition, _: None) -> None:
    for name in Definition.__struct_fields__:
        setattr(state, name, getattr(defined, name))


def on_updated(state: ScheduleState, now: int, _: None) -> None:
    state.updated_at = now
    state.token += 1
