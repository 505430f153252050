"""What starts a workflow: the options, and the request they make.

Source: the option sets ``shared-workflow-start`` and ``workflow-start`` of Temporal's CLI.
"""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.common.v1 import Memo, Payloads
from outlast.api.enums import v1 as _e
from outlast.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from outlast.api.workflow.v1 import NewWorkflowExecutionInfo
from outlast.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest, StartWorkflowExecutionRequest
from outlast.service import RPCError, RPCStatusCode
from outlast.vocab import times

from .. import values
from ..connection import Session
from ..inputs import DURATION, json_pairs
from ..options import Option, with_options
from ..reference import fresh_id
from ..start_options import COMMON_START_NAMES, COMMON_START_OPTIONS, fill_common

_REUSE: Final = ("AllowDuplicate", "AllowDuplicateFailedOnly", "RejectDuplicate", "TerminateIfRunning")
_CONFLICT: Final = ("Fail", "UseExisting", "TerminateExisting")

SHARED_START_OPTIONS: Final[Option] = with_options(
    click.option("--workflow-id", "-w", help="Id of the workflow; a random one if not given."),
    click.option("--type", "type_", required=True, help="Type of the workflow."),
    click.option("--task-queue", "-t", required=True, help="Task queue of its workers."),
    click.option("--run-timeout", type=DURATION, help="End each run after this time."),
    click.option("--execution-timeout", type=DURATION, help="End the chain of runs after this time."),
    click.option("--task-timeout", type=DURATION, default="10s", show_default=True, help="Time for a workflow task."),
    click.option("--memo", multiple=True, callback=json_pairs, help="NAME=JSON; repeatable."),
    COMMON_START_OPTIONS,
)
"""Options of a workflow whoever starts it, a command or a schedule."""

START_OPTIONS: Final[Option] = with_options(
    SHARED_START_OPTIONS,
    click.option("--cron", default="", help="Start again and again by this schedule."),
    click.option("--fail-existing", is_flag=True, help="Fail if the workflow runs already."),
    click.option("--start-delay", type=DURATION, help="Wait so long before the first workflow task."),
    click.option("--id-reuse-policy", type=click.Choice(_REUSE), help="When the id of an ended one may be used."),
    click.option("--id-conflict-policy", type=click.Choice(_CONFLICT), help="What if the id is running."),
)

_SHARED_NAMES: Final = (
    "workflow_id",
    "type_",
    "task_queue",
    "run_timeout",
    "execution_timeout",
    "task_timeout",
    "memo",
    *COMMON_START_NAMES,
)
_NAMES: Final = ("cron", "start_delay", "id_reuse_policy", "id_conflict_policy")


def fill_shared(
    request: StartWorkflowExecutionRequest | NewWorkflowExecutionInfo, options: dict[str, Any], input: Payloads | None
) -> None:
    """Write the shared options into what starts a workflow; takes them out of the dictionary."""
    taken = {name: options.pop(name) for name in _SHARED_NAMES}
    request.workflow_id = taken["workflow_id"] or fresh_id()
    request.workflow_type.name = taken["type_"]
    request.task_queue.name = taken["task_queue"]
    if input is not None:
        request.input.CopyFrom(input)
    for length, ns in (
        (request.workflow_run_timeout, taken["run_timeout"]),
        (request.workflow_execution_timeout, taken["execution_timeout"]),
        (request.workflow_task_timeout, taken["task_timeout"]),
    ):
        if ns is not None:
            length.CopyFrom(times.duration(ns))
    if taken["memo"]:
        request.memo.CopyFrom(Memo(fields=taken["memo"]))
    fill_common(request, taken)


def start_request(session: Session, options: dict[str, Any], input: Payloads | None) -> StartWorkflowExecutionRequest:
    """The request that the options ask for; takes its options out of the dictionary."""
    taken = {name: options.pop(name) for name in _NAMES}
    request = StartWorkflowExecutionRequest(
        namespace=session.namespace,
        identity=session.identity,
        request_id=fresh_id(),
        cron_schedule=taken["cron"],
    )
    if taken["start_delay"] is not None:
        request.workflow_start_delay.CopyFrom(times.duration(taken["start_delay"]))
    if taken["id_reuse_policy"]:
        request.workflow_id_reuse_policy = values.enum_number(_e.WorkflowIdReusePolicy, taken["id_reuse_policy"])
    if taken["id_conflict_policy"]:
        request.workflow_id_conflict_policy = values.enum_number(
            _e.WorkflowIdConflictPolicy, taken["id_conflict_policy"]
        )
    fill_shared(request, options, input)
    return request


async def start(session: Session, request: StartWorkflowExecutionRequest, *, fail_existing: bool) -> str:
    """Start it; answers the run id, which without ``fail_existing`` may be that of a run that is there already."""
    try:
        response = await session.service.start_workflow_execution(request, retry=True)
    except RPCError as error:
        details = WorkflowExecutionAlreadyStartedFailure()
        known = error.status == RPCStatusCode.ALREADY_EXISTS and error.grpc_status.details
        if fail_existing or not known or not error.grpc_status.details[0].Unpack(details):
            raise
        return details.run_id
    return str(response.run_id)


def started(
    session: Session, request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest, run_id: str
) -> dict[str, str]:
    """What is shown of a workflow that was started, under the names of JSON."""
    return {
        "workflowId": request.workflow_id,
        "runId": run_id,
        "type": request.workflow_type.name,
        "namespace": session.namespace,
        "taskQueue": request.task_queue.name,
    }
