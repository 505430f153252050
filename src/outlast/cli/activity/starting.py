"""What starts an activity without a workflow: the options, and the request they make.

Source: the option set ``activity-start`` of Temporal's CLI.
"""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.common.v1 import ActivityType, Payloads
from outlast.api.enums import v1 as _e
from outlast.api.taskqueue.v1 import TaskQueue
from outlast.api.workflowservice.v1 import StartActivityExecutionRequest
from outlast.vocab import times

from .. import values
from ..connection import Session
from ..inputs import DURATION
from ..options import Option, with_options
from ..reference import fresh_id
from ..start_options import COMMON_START_OPTIONS, fill_common
from .target import ACTIVITY_ID

_REUSE: Final = ("AllowDuplicate", "AllowDuplicateFailedOnly", "RejectDuplicate")
_CONFLICT: Final = ("Fail", "UseExisting")

_DURATIONS: Final = {
    "schedule_to_close_timeout": "Time for all attempts. This or --start-to-close-timeout must be given.",
    "schedule_to_start_timeout": "Time that an attempt may wait for a worker.",
    "start_to_close_timeout": "Time for one attempt.",
    "heartbeat_timeout": "Longest silence of a running attempt.",
    "start_delay": "Wait so long before the first attempt.",
}
_RETRY_DURATIONS: Final = {
    "initial_interval": "Pause before the second attempt.",
    "maximum_interval": "Longest pause between attempts.",
}

START_OPTIONS: Final[Option] = with_options(
    ACTIVITY_ID,
    click.option("--type", "type_", required=True, help="Type of the activity."),
    click.option("--task-queue", "-t", required=True, help="Task queue of its workers."),
    *(click.option(f"--{name.replace('_', '-')}", type=DURATION, help=text) for name, text in _DURATIONS.items()),
    *(
        click.option(f"--retry-{name.replace('_', '-')}", type=DURATION, help=text)
        for name, text in _RETRY_DURATIONS.items()
    ),
    click.option("--retry-backoff-coefficient", type=click.FloatRange(1), help="By this the pauses grow."),
    click.option("--retry-maximum-attempts", type=click.IntRange(0), help="0 for no limit."),
    click.option("--id-reuse-policy", type=click.Choice(_REUSE), help="When the id of an ended one may be used."),
    click.option("--id-conflict-policy", type=click.Choice(_CONFLICT), help="What if the id is running."),
    COMMON_START_OPTIONS,
)


def start_request(session: Session, options: dict[str, Any], input: Payloads | None) -> StartActivityExecutionRequest:
    """The request that the options ask for.

    Raises:
        UsageError: nothing says how long the activity may take.
    """
    if options["schedule_to_close_timeout"] is None and options["start_to_close_timeout"] is None:
        raise click.UsageError("say how long it may take: --start-to-close-timeout or --schedule-to-close-timeout")
    request = StartActivityExecutionRequest(
        namespace=session.namespace,
        activity_id=options["activity_id"],
        activity_type=ActivityType(name=options["type_"]),
        task_queue=TaskQueue(name=options["task_queue"]),
        input=input,
        identity=session.identity,
        request_id=fresh_id(),
    )
    for name in _DURATIONS:
        if options[name] is not None:
            getattr(request, name).CopyFrom(times.duration(options[name]))
    policy = {name.removeprefix("retry_"): value for name, value in options.items() if name.startswith("retry_")}
    for name, value in policy.items():
        if value is None:
            continue
        if name in _RETRY_DURATIONS:
            getattr(request.retry_policy, name).CopyFrom(times.duration(value))
        else:
            setattr(request.retry_policy, name, value)
    if options["id_reuse_policy"]:
        request.id_reuse_policy = values.enum_number(_e.ActivityIdReusePolicy, options["id_reuse_policy"])
    if options["id_conflict_policy"]:
        request.id_conflict_policy = values.enum_number(_e.ActivityIdConflictPolicy, options["id_conflict_policy"])
    fill_common(request, options)
    return request


async def start(session: Session, request: StartActivityExecutionRequest) -> dict[str, str]:
    """Start it; answers what is shown of it, under the names of JSON."""
    response = await session.service.start_activity_execution(request, retry=True)
    return {
        "activityId": request.activity_id,
        "runId": response.run_id,
        "type": request.activity_type.name,
        "namespace": session.namespace,
        "taskQueue": request.task_queue.name,
    }
