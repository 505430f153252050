"""The workflows behind ``*.json``: every noun that leaves commands in a history, each in one deterministic flow.

``record.py`` runs them under either SDK. A change here that changes commands needs new recordings.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from outlast import activity, workflow
from outlast.common import RetryPolicy
from outlast.exceptions import ActivityError, ApplicationError

MINUTE = timedelta(minutes=1)
FAST = RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=2)


@activity.defn
async def validate(order_id: str) -> bool:
    return bool(order_id)


@activity.defn
async def charge(order_id: str, amount: float) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("the gateway is busy")
    return f"charge_{order_id}_ok"


@activity.defn
async def decline() -> None:
    raise ApplicationError("declined", type="Declined", non_retryable=True)


@activity.defn
async def wait_for_cancel() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.01)


SEEN: list[Any] = []
"""What ``Patched`` found, run by run."""

ACTIVITIES = [validate, charge, decline, wait_for_cancel]


@workflow.defn
class Order:
    """The pipeline: one activity after the other, one of them retried."""

    @workflow.run
    async def run(self, order_id: str) -> str:
        await workflow.execute_activity(validate, order_id, start_to_close_timeout=MINUTE)
        return await workflow.execute_activity(
            charge, args=[order_id, 9.99], start_to_close_timeout=MINUTE, retry_policy=FAST
        )


@workflow.defn
class Fan:
    """Activities and timers side by side, one timer cancelled, and an activity id of its own."""

    @workflow.run
    async def run(self) -> list[Any]:
        deadline = asyncio.create_task(workflow.sleep(MINUTE, summary="the deadline"))
        results = await asyncio.gather(
            workflow.execute_activity(validate, "a", start_to_close_timeout=MINUTE),
            workflow.execute_activity(validate, "b", start_to_close_timeout=MINUTE, activity_id="mine"),
            asyncio.sleep(0.005),
            workflow.sleep(0.001),
        )
        deadline.cancel()
        await asyncio.sleep(0.001)
        return results


@workflow.defn
class Approval:
    """Signals before and after a timer, and a condition with a timeout."""

    def __init__(self) -> None:
        self.approved: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        try:
            await workflow.wait_condition(lambda: len(self.approved) > 5, timeout=0.001)
        except TimeoutError:
            self.approved.append("timed out")
        await workflow.wait_condition(lambda: len(self.approved) == 3)
        return self.approved

    @workflow.signal
    async def approve(self, who: str) -> None:
        await workflow.execute_activity(validate, who, start_to_close_timeout=MINUTE)
        self.approved.append(who)


@workflow.defn
class Refused:
    """Fails with the chain of an activity's failure."""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.execute_activity(decline, start_to_close_timeout=MINUTE)
        except ActivityError as error:
            raise ApplicationError("order refused") from error


@workflow.defn
class Cancelled:
    """Is cancelled while it waits for an activity, and cleans up."""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.execute_activity(
                wait_for_cancel, start_to_close_timeout=MINUTE, heartbeat_timeout=timedelta(milliseconds=250)
            )
        finally:
            await asyncio.shield(workflow.execute_activity(validate, "undo", start_to_close_timeout=MINUTE))


@workflow.defn
class Patched:
    """A patch, a random number, an id and the memo."""

    @workflow.run
    async def run(self) -> list[Any]:
        found: list[Any] = [workflow.patched("new-way"), workflow.random().random(), str(workflow.uuid4())]
        workflow.upsert_memo({"step": 1})
        await asyncio.sleep(0.001)
        found.append(workflow.patched("newer-way"))
        found.append(workflow.memo_value("step"))
        SEEN.append(found)
        return found


FLOWS = [Order, Fan, Approval, Refused, Cancelled, Patched]
