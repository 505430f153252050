"""What starts a workflow: the options, and the request they make.

Source: the option sets ``shared-workflow-start`` and ``workflow-start`` of Temporal's CLI.
"""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.common.v1 import Memo, Payloads, WorkflowType
from outlast.api.enums import v1 as _e
from outlast.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from outlast.api.taskqueue.v1 import TaskQueue
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

START_OPTIONS: Final[Option] = with_options(
    click.option("--workflow-id", "-w", help="Id of the workflow; a random one if not given."),
    click.option("--type", "type_", required=True, help="Type of the workflow."),
    click.option("--task-queue", "-t", required=True, help="Task queue of its workers."),
    click.option("--run-timeout", type=DURATION, help="End each run after this time."),
    click.option("--execution-timeout", type=DURATION, help="End the chain of runs after this time."),
    click.option("--task-timeout", type=DURATION, default="10s", show_default=True, help="Time for a workflow task."),
    click.option("--memo", multiple=True, callback=json_pairs, help="NAME=JSON; repeatable."),
    COMMON_START_OPTIONS,
    click.option("--cron", default="", help="Start again and again by this schedule."),
    click.option("--fail-existing", is_flag=True, help="Fail if the workflow runs already."),
    click.option("--start-delay", type=DURATION, help="Wait so long before the first workflow task."),
    click.option("--id-reuse-policy", type=click.Choice(_REUSE), help="When the id of an ended one may be used."),
    click.option("--id-conflict-policy", type=click.Choice(_CONFLICT), help="What if the id is running."),
)


def start_request(session: Session, options: dict[str, Any], input: Payloads | None) -> StartWorkflowExecutionRequest:
    """The request that the options ask for; takes its options out of the dictionary."""
    taken = {name: options.pop(name) for name in _NAMES}
    request = StartWorkflowExecutionRequest(
        namespace=session.namespace,
        workflow_id=taken["workflow_id"] or fresh_id(),
        workflow_type=WorkflowType(name=taken["type_"]),
        task_queue=TaskQueue(name=taken["task_queue"]),
        input=input,
        identity=session.identity,
        request_id=fresh_id(),
        cron_schedule=taken["cron"],
    )
    for name, ns in (
        ("workflow_run_timeout", taken["run_timeout"]),
        ("workflow_execution_timeout", taken["execution_timeout"]),
        ("workflow_task_timeout", taken["task_timeout"]),
        ("workflow_start_delay", taken["start_delay"]),
    ):
        if ns is not None:
            getattr(request, name).CopyFrom(times.duration(ns))
    if taken["id_reuse_policy"]:
        request.workflow_id_reuse_policy = values.enum_number(_e.WorkflowIdReusePolicy, taken["id_reuse_policy"])
    if taken["id_conflict_policy"]:
        request.workflow_id_conflict_policy = values.enum_number(
            _e.WorkflowIdConflictPolicy, taken["id_conflict_policy"]
        )
    if taken["memo"]:
        request.memo.CopyFrom(Memo(fields=taken["memo"]))
    fill_common(request, taken)
    return request


_NAMES: Final = (
    "workflow_id",
    "type_",
    "task_queue",
    "run_timeout",
    "execution_timeout",
    "task_timeout",
    "memo",
    *COMMON_START_NAMES,
    "cron",
    "start_delay",
    "id_reuse_policy",
    "id_conflict_policy",
)


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
