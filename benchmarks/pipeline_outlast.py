"""The pipeline under test, written for ``outlast``: three activities that do nothing, one after the other."""

from __future__ import annotations

from datetime import timedelta

from outlast import activity, workflow


@activity.defn
async def validate(order_id: str) -> bool:
    return True


@activity.defn
async def charge(order_id: str, amount: float) -> str:
    return f"charge_{order_id}_ok"


@activity.defn
async def confirm(order_id: str, charge_id: str) -> None:
    return None


@workflow.defn
class Pipeline:
    """Validate, charge, confirm."""

    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        limit = timedelta(seconds=60)
        await workflow.execute_activity(validate, order_id, start_to_close_timeout=limit)
        charge_id = await workflow.execute_activity(charge, args=[order_id, amount], start_to_close_timeout=limit)
        await workflow.execute_activity(confirm, args=[order_id, charge_id], start_to_close_timeout=limit)
        return charge_id


@workflow.defn
class Sleeper:
    """Sleeps for a day."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=1))


WORKFLOWS = [Pipeline, Sleeper]
ACTIVITIES = [validate, charge, confirm]
