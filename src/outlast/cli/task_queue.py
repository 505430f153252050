"""``outlast task-queue``: who polls, what waits, how fast it may go."""

from __future__ import annotations

from typing import Any, Final

import click

from outlast.api.enums import v1 as _e
from outlast.api.taskqueue.v1 import RateLimit, TaskQueue, TaskQueueConfig, TaskQueueStats
from outlast.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    UpdateTaskQueueConfigRequest,
)

from . import values
from .connection import Session, connected
from .options import Option, refused

_TYPES: Final = {
    "workflow": _e.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": _e.TASK_QUEUE_TYPE_ACTIVITY,
    "nexus": _e.TASK_QUEUE_TYPE_NEXUS,
}
_NAME: Final[Option] = click.option("--task-queue", "-t", "name", required=True, help="Name of the task queue.")
_TYPE: Final[Option] = click.option(
    "--task-queue-type", "type_", type=click.Choice(list(_TYPES)), required=True, help="Which of its queues."
)
_OLD: Final = "versions are worker deployments here"


@click.group("task-queue")
def task_queue() -> None:
    """Who polls, what waits, how fast it may go."""


@task_queue.command()
@_NAME
@click.option(
    "--task-queue-type", "types", type=click.Choice(["workflow", "activity"]), multiple=True, help="Repeatable."
)
@click.option("--disable-stats", is_flag=True, help="Without what waits.")
@click.option("--report-config", is_flag=True, help="With the limits that were set.")
@refused("--select-build-id", _OLD)
@refused("--select-unversioned", _OLD, switch=True)
@refused("--select-all-active", _OLD, switch=True)
@refused("--report-reachability", _OLD, switch=True)
@refused("--legacy-mode", "there is one mode", switch=True)
@refused("--task-queue-type-legacy", "give --task-queue-type")
@refused("--partitions-legacy", "a task queue has one partition")
@connected
async def describe(
    session: Session, *, name: str, types: tuple[str, ...], disable_stats: bool, report_config: bool
) -> None:
    """Show who polls a task queue, and what waits in it."""
    printer = session.printer
    found: dict[str, DescribeTaskQueueResponse] = {}
    for type_ in types or ("workflow", "activity"):
        found[type_] = await _described(
            session, name, type_, report_stats=not disable_stats, report_config=report_config
        )
    if not printer.is_text:
        printer.data({"taskQueue": name, **{type_: printer.embedded(one) for type_, one in found.items()}})
        return
    if not disable_stats:
        printer.line("Task Queue Statistics:", "bold")
        printer.table(
            ("Type", "ApproximateBacklogCount", "ApproximateBacklogAge", "TasksAddRate", "TasksDispatchRate"),
            (((type_, *_stats(one.stats)), one) for type_, one in found.items()),
        )
        printer.line()
    printer.line("Pollers:", "bold")
    printer.table(
        ("Type", "Identity", "LastAccessTime", "RatePerSecond", "BuildId"),
        (
            (
                (
                    type_,
                    poller.identity,
                    printer.time(poller.last_access_time),
                    f"{poller.rate_per_second:g}",
                    poller.deployment_options.build_id or poller.worker_version_capabilities.build_id,
                ),
                poller,
            )
            for type_, one in found.items()
            for poller in one.pollers
        ),
    )
    if report_config:
        for type_, one in found.items():
            printer.line()
            printer.card(f"Config of {type_}:", _config(one.config) or {"QueueRpsLimit": "none"})


async def _described(session: Session, name: str, type_: str, **what: Any) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=session.namespace, task_queue=TaskQueue(name=name), task_queue_type=_TYPES[type_], **what
    )
    response: DescribeTaskQueueResponse = await session.service.describe_task_queue(request, retry=True)
    return response


def _stats(stats: TaskQueueStats) -> tuple[str, ...]:
    return (
        str(stats.approximate_backlog_count),
        values.duration(stats.approximate_backlog_age) or "0s",
        f"{stats.tasks_add_rate:g}",
        f"{stats.tasks_dispatch_rate:g}",
    )


def _config(config: TaskQueueConfig) -> dict[str, str]:
    return dict(values.flattened(config))


@task_queue.group()
def config() -> None:
    """The limits of a task queue."""


@config.command("get")
@_NAME
@_TYPE
@connected
async def get(session: Session, *, name: str, type_: str) -> None:
    """Show the limits of a task queue."""
    found = (await _described(session, name, type_, report_config=True)).config
    session.printer.record("Task Queue Config:", _config(found) or {"QueueRpsLimit": "none"}, found)


def _limit(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """A limit, -1 to lift it."""
    if value is None:
        return None
    if value == "default":
        return -1
    try:
        number = float(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: write tasks per second, or default to lift the limit") from error
    if not 0 <= number < float("inf"):
        raise click.BadParameter(f"{value!r}: write 0 or more tasks per second, or default to lift the limit")
    return number


def _weights(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for text in given:
        key, separator, weight = text.rpartition("=")
        try:
            found[key] = None if weight == "default" else float(weight)
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: write KEY=WEIGHT, or KEY=default to take it away") from error
        if not separator:
            raise click.BadParameter(f"{text!r}: write KEY=WEIGHT, or KEY=default to take it away")
    return found


@config.command("set")
@_NAME
@_TYPE
@click.option("--queue-rps-limit", callback=_limit, help="Tasks per second; default lifts the limit.")
@click.option("--queue-rps-limit-reason", default="", help="Why.")
@click.option("--fairness-key-rps-limit-default", callback=_limit, help="The same for each fairness key.")
@click.option("--fairness-key-rps-limit-reason", default="", help="Why.")
@click.option("--fairness-key-weight", multiple=True, callback=_weights, help="KEY=WEIGHT; repeatable.")
@refused("--fairness-key-weight-clear-all", "name the keys: --fairness-key-weight KEY=default", switch=True)
@connected
async def set_config(session: Session, *, name: str, type_: str, **options: Any) -> None:
    """Limit how fast the tasks of a task queue go to workers; the limit outlasts restarts."""
    update = UpdateTaskQueueConfigRequest.RateLimitUpdate
    request = UpdateTaskQueueConfigRequest(
        namespace=session.namespace, identity=session.identity, task_queue=name, task_queue_type=_TYPES[type_]
    )
    for field, limit, reason in (
        ("update_queue_rate_limit", options["queue_rps_limit"], options["queue_rps_limit_reason"]),
        (
            "update_fairness_key_rate_limit_default",
            options["fairness_key_rps_limit_default"],
            options["fairness_key_rps_limit_reason"],
        ),
    ):
        if limit is None:
            if reason:
                raise click.UsageError("a reason goes with its limit")
            continue
        rate = RateLimit(requests_per_second=limit) if limit >= 0 else None
        getattr(request, field).CopyFrom(update(rate_limit=rate, reason=reason))
    for key, weight in options["fairness_key_weight"].items():
        if weight is None:
            request.unset_fairness_weight_overrides.append(key)
        else:
            request.set_fairness_weight_overrides[key] = weight
    response = await session.service.update_task_queue_config(request, retry=True)
    session.printer.record("Task Queue Config:", _config(response.config), response.config)
