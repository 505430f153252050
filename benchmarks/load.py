"""The process that puts load on an engine: a worker and clients in a closed loop. Prints its figures as JSON.

python -m benchmarks.load --sdk outlast --target sqlite:///bench.db --in-flight 32 --workflows 2000
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import time

from benchmarks.closed_loop import measure, run_and_print

TASK_QUEUE = "benchmark"


async def pipelines(sdk: str, target: str, in_flight: int, workflows: int, server_pid: int) -> dict[str, float]:
    """A closed loop of pipelines through one client, with a worker beside it."""
    pipeline = importlib.import_module(f"benchmarks.pipeline_{sdk}")
    client = await importlib.import_module(f"{sdk}.client").Client.connect(target)
    worker = importlib.import_module(f"{sdk}.worker").Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=pipeline.WORKFLOWS,
        activities=pipeline.ACTIVITIES,
    )

    async def call(order_id: str) -> str:
        result: str = await client.execute_workflow(
            pipeline.Pipeline.run, args=[order_id, 9.99], id=order_id, task_queue=TASK_QUEUE
        )
        return result

    async with worker:
        return await measure(call, in_flight, workflows, server_pid)


async def sleepers(sdk: str, target: str, workflows: int) -> dict[str, float]:
    """Start workflows that sleep for a day, and wait until each has set its timer."""
    pipeline = importlib.import_module(f"benchmarks.pipeline_{sdk}")
    client = await importlib.import_module(f"{sdk}.client").Client.connect(target)
    worker = importlib.import_module(f"{sdk}.worker").Worker(
        client, task_queue=TASK_QUEUE, workflows=pipeline.WORKFLOWS, activities=pipeline.ACTIVITIES
    )
    async with worker:
        begin = time.perf_counter()
        slots = asyncio.Semaphore(64)

        async def fall_asleep(number: int) -> None:
            async with slots:
                handle = await client.start_workflow(
                    pipeline.Sleeper.run, id=f"sleeper-{number}", task_queue=TASK_QUEUE
                )
                # A query waits for the first workflow task, which sets the timer.
                await handle.query("__stack_trace")

        await asyncio.gather(*(fall_asleep(number) for number in range(workflows)))
    return {"workflows": workflows, "wall_s": time.perf_counter() - begin}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdk", choices=("outlast", "temporalio"), default="outlast")
    parser.add_argument("--target", required=True)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--workflows", type=int, default=1000)
    parser.add_argument("--server-pid", type=int, default=0, help="whose CPU time to measure beside our own")
    parser.add_argument("--sleepers", action="store_true")
    options = parser.parse_args()
    if options.sleepers:
        run_and_print(sleepers(options.sdk, options.target, options.workflows))
    else:
        run_and_print(pipelines(options.sdk, options.target, options.in_flight, options.workflows, options.server_pid))


if __name__ == "__main__":
    main()
