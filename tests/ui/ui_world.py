"""Workflows in every state that the UI shows, and the life in which they came about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError, WorkflowHandle
from outlast.common import RetryPolicy
from outlast.exceptions import ApplicationError
from outlast.worker import Worker

QUEUE = "orders"
HOSTILE = "<script>window.hacked=1</script> \"'& <img src=x onerror=window.hacked=1>/%2F?#"
"""An id, a memo, a failure text, a signal name: what must never become markup."""
EVENTS = 20_000
CHILDREN = 1_000
LARGE = 300_000
"""Characters of a result that is cut."""

_AT_ONCE = 500
_MINUTE = timedelta(minutes=1)
_SLOWER = RetryPolicy(
    initial_interval=timedelta(milliseconds=1),
    backoff_coefficient=100,
    maximum_interval=timedelta(hours=1),
    maximum_attempts=10,
)
"""Attempts after 1 ms, 100 ms, 10 s and 17 minutes."""


@activity.defn
async def charge(order: str) -> str:
    if activity.info().attempt < 2:
        raise ApplicationError(f"the bank is busy with {order}", type="BankBusy")
    return f"receipt of {order}"


@activity.defn
async def decline(reason: str) -> None:
    try:
        raise ValueError("the card is over its limit")
    except ValueError as error:
        raise ApplicationError(reason, {"limit": 100}, type="CardDeclined", non_retryable=True) from error


@activity.defn
async def unreachable() -> None:
    activity.heartbeat({"bytes": 4096})
    raise ConnectionError(f"no route to the warehouse {HOSTILE}")


@workflow.defn
class Order:
    """Completes, by way of a retried activity, a timer and a child."""

    @workflow.run
    async def run(self, order: str) -> dict[str, str | list[int]]:
        receipt = await workflow.execute_activity(
            charge,
            order,
            start_to_close_timeout=_MINUTE,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=40)),
        )
        await asyncio.sleep(0.2)
        shipped = await workflow.execute_child_workflow(
            Shipment.run, order, id=f"shipment-of-{workflow.info().workflow_id}"
        )
        return {"receipt": receipt, "shipment": shipped, "items": [1, 2, 3]}


@workflow.defn
class Shipment:
    @workflow.run
    async def run(self, order: str) -> str:
        if order.startswith("slow"):
            await workflow.wait_condition(lambda: False)
        return f"shipped {order}"


@workflow.defn
class Declined:
    """Fails, with a chain of causes."""

    @workflow.run
    async def run(self, reason: str) -> None:
        await workflow.execute_activity(decline, reason, start_to_close_timeout=_MINUTE)


@workflow.defn
class Blocked:
    """Cannot get on: its code has a fault."""

    @workflow.run
    async def run(self) -> None:
        orders: dict[str, int] = {}
        raise KeyError(f"no order in {orders}")


@workflow.defn
class Retrying:
    """Waits for an activity that keeps failing."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            unreachable, start_to_close_timeout=_MINUTE, heartbeat_timeout=_MINUTE, retry_policy=_SLOWER
        )


@workflow.defn
class Approval:
    """Waits, can be asked and told."""

    def __init__(self) -> None:
        self._approved_by = ""
        self._limit = 100

    @workflow.run
    async def run(self) -> str:
        workflow.set_current_details("Waits for an approval.")
        await workflow.wait_condition(lambda: bool(self._approved_by))
        return f"approved by {self._approved_by}"

    @workflow.signal(description="Approves the request.")
    def approve(self, by: str) -> None:
        self._approved_by = by

    @workflow.signal
    def remind(self) -> None:
        workflow.logger.info("Reminded")

    @workflow.query(description="Who has approved so far.")
    def approver(self) -> str:
        return self._approved_by or "nobody"

    @workflow.update(description="Sets the limit; answers the one before.")
    def set_limit(self, limit: int) -> int:
        before, self._limit = self._limit, limit
        return before

    @set_limit.validator
    def refuse_negative(self, limit: int) -> None:
        if limit < 0:
            raise ApplicationError("a limit is not negative")


@workflow.defn
class Long:
    """Has a very long history."""

    @workflow.run
    async def run(self, events: int) -> str:
        while (length := workflow.info().get_current_history_length()) < events:
            for number in range(min(_AT_ONCE * 4, events - length)):
                workflow.upsert_memo({"step": length + number})
            await asyncio.sleep(0.001)
        return "x" * LARGE


@workflow.defn
class Family:
    """Has very many children."""

    @workflow.run
    async def run(self, children: int) -> int:
        prefix = workflow.info().workflow_id
        each = [
            workflow.execute_child_workflow(Shipment.run, f"{n}", id=f"{prefix}/child-{n}") for n in range(children)
        ]
        return len(await asyncio.gather(*each))


@workflow.defn
class Renewal:
    """Continues as new once."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "renewed"


WORKFLOWS = [Order, Shipment, Declined, Blocked, Retrying, Approval, Long, Family, Renewal]
ACTIVITIES = [charge, decline, unreachable]


@asynccontextmanager
async def living(client: Client) -> AsyncIterator[None]:
    """A worker, and workflows in every state once it is entered."""
    async with AsyncExitStack() as stack:
        worker = Worker(
            client, task_queue=QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES, identity="worker-of-the-tests"
        )
        await stack.enter_async_context(worker)
        await _populate(client)
        yield


async def _populate(client: Client) -> None:
    async def begin(
        run: object, workflow_id: str, *arguments: object, **options: object
    ) -> WorkflowHandle[object, object]:
        return await client.start_workflow(run, args=list(arguments), id=workflow_id, task_queue=QUEUE, **options)  # type: ignore[call-overload, no-any-return]

    long = await begin(Long.run, "long-history", EVENTS)
    family = await begin(Family.run, "family", CHILDREN)
    ending = [
        await begin(Order.run, "order-1", "order-1", memo={"customer": "Ada", "note": HOSTILE}),
        await begin(Declined.run, "declined", HOSTILE),
        await begin(Declined.run, HOSTILE, HOSTILE, memo={"note": HOSTILE}),
        await begin(Renewal.run, "renewal", 1),
    ]
    for number in range(2, 6):
        ending.append(await begin(Order.run, f"order-{number}", f"order-{number}"))
    blocked = await begin(Blocked.run, "blocked")
    await begin(Retrying.run, "retrying")
    await begin(Approval.run, "approval")
    await begin(Order.run, "slow-order", "slow-order")
    terminated = await begin(Approval.run, "terminated")
    await terminated.terminate({"by": "the tests"}, reason="no longer needed")
    cancelled = await begin(Approval.run, "cancelled")
    await cancelled.cancel()
    await client.start_workflow("Unclaimed", id="nobody-there", task_queue="nobody")
    await client.start_workflow("Unclaimed", id="timed-out", task_queue="nobody", run_timeout=timedelta(milliseconds=1))
    for handle in [*ending, cancelled, long, family]:
        with suppress(WorkflowFailureError):
            await handle.result()
    await _until(client, "ExecutionStatus = 'TimedOut'", 1)
    while (await blocked.describe()).raw_description.pending_workflow_task.attempt < 2:
        await asyncio.sleep(0.05)


async def _until(client: Client, query: str, count: int) -> None:
    while (await client.count_workflows(query)).count < count:
        await asyncio.sleep(0.05)
