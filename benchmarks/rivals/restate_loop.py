"""The pipeline on Restate: a handler with three durable steps, served by hypercorn beside the callers.

Callers speak HTTP to the ingress, as every client of Restate does. Target: "ingress,admin", the two ports.
"""

from __future__ import annotations

import asyncio

import aiohttp
import hypercorn.asyncio
import hypercorn.config
import restate

from benchmarks.closed_loop import measure, run_and_print
from benchmarks.processes import free_port, wait_for
from benchmarks.rivals.arguments import Arguments
from benchmarks.rivals.servers import register

pipeline = restate.Service("Pipeline")


async def validate(order_id: str) -> bool:
    return True


async def charge(order_id: str, amount: float) -> str:
    return f"charge_{order_id}_ok"


async def confirm(order_id: str, charge_id: str) -> None:
    return None


@pipeline.handler()
async def run(ctx: restate.Context, order: dict) -> str:
    await ctx.run_typed("validate", validate, order_id=order["id"])
    charge_id = await ctx.run_typed("charge", charge, order_id=order["id"], amount=order["amount"])
    await ctx.run_typed("confirm", confirm, order_id=order["id"], charge_id=charge_id)
    return charge_id


async def work(arguments: Arguments) -> dict[str, float]:
    ingress, admin = (int(port) for port in arguments.target.split(","))
    port = free_port()
    config = hypercorn.config.Config()
    config.bind = [f"127.0.0.1:{port}"]
    ended = asyncio.Event()
    serving = asyncio.create_task(hypercorn.asyncio.serve(restate.app([pipeline]), config, shutdown_trigger=ended.wait))
    await asyncio.to_thread(wait_for, port)
    await asyncio.to_thread(register, admin, port)
    connections = aiohttp.TCPConnector(limit=arguments.in_flight)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{ingress}", connector=connections) as session:

        async def call(order_id: str) -> str:
            body, key = {"id": order_id, "amount": 9.99}, {"idempotency-key": order_id}
            async with session.post("/Pipeline/run", json=body, headers=key) as response:
                response.raise_for_status()
                result: str = await response.json()
            return result

        figures = await measure(call, arguments.in_flight, arguments.workflows, arguments.server_pid)
    ended.set()
    await serving
    return figures


if __name__ == "__main__":
    run_and_print(work(Arguments.read()))
