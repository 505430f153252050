"""The pipeline on DBOS: three steps that do nothing, in a workflow that runs where it is called.

Target: the URL of the system database.
"""

from __future__ import annotations

from dbos import DBOS, SetWorkflowID

from benchmarks.closed_loop import measure, run_and_print
from benchmarks.rivals.arguments import Arguments


@DBOS.step()
async def validate(order_id: str) -> bool:
    return True


@DBOS.step()
async def charge(order_id: str, amount: float) -> str:
    return f"charge_{order_id}_ok"


@DBOS.step()
async def confirm(order_id: str, charge_id: str) -> None:
    return None


@DBOS.workflow()
async def pipeline(order_id: str, amount: float) -> str:
    await validate(order_id)
    charge_id = await charge(order_id, amount)
    await confirm(order_id, charge_id)
    return charge_id


async def call(order_id: str) -> str:
    with SetWorkflowID(order_id):
        return await pipeline(order_id, 9.99)


async def work(arguments: Arguments) -> dict[str, float]:
    DBOS(
        config={
            "name": "rivals",
            "system_database_url": arguments.target,
            "log_level": "WARNING",
        }
    )
    DBOS.launch()
    try:
        return await measure(call, arguments.in_flight, arguments.workflows, arguments.server_pid)
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    run_and_print(work(Arguments.read()))
