"""The process that puts load on an engine: a worker and clients in a closed loop. Prints its figures as JSON.

python -m benchmarks.load --sdk outlast --target sqlite:///bench.db --in-flight 32 --workflows 2000
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import resource
import statistics
import time
from typing import Any

TASK_QUEUE = "benchmark"


async def closed_loop(client: Any, pipeline: Any, prefix: str, in_flight: int, workflows: int) -> list[float]:
    """Run workflows with a fixed number in flight; answers each one's latency in seconds, start to result."""
    latencies: list[float] = []
    numbers = iter(range(workflows))

    async def one_after_the_other() -> None:
        for number in numbers:
            order_id = f"{prefix}-{number}"
            begin = time.perf_counter()
            result = await client.execute_workflow(
                pipeline.Pipeline.run, args=[order_id, 9.99], id=order_id, task_queue=TASK_QUEUE
            )
            latencies.append(time.perf_counter() - begin)
            assert result == f"charge_{order_id}_ok", result

    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return latencies


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(sdk: str, target: str, in_flight: int, workflows: int) -> dict[str, float]:
    """Warm up, then measure one closed loop."""
    pipeline = importlib.import_module(f"benchmarks.pipeline_{sdk}")
    client = await importlib.import_module(f"{sdk}.client").Client.connect(target)
    worker = importlib.import_module(f"{sdk}.worker").Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=pipeline.WORKFLOWS,
        activities=pipeline.ACTIVITIES,
    )
    async with worker:
        await closed_loop(client, pipeline, "warm-up", in_flight, max(in_flight, workflows // 10))
        cpu, begin = cpu_seconds(), time.perf_counter()
        latencies = await closed_loop(client, pipeline, "order", in_flight, workflows)
        wall, cpu = time.perf_counter() - begin, cpu_seconds() - cpu
    quantiles = statistics.quantiles(latencies, n=100)
    return {
        "workflows": workflows,
        "wall_s": wall,
        "cpu_s": cpu,
        "p50_ms": quantiles[49] * 1000,
        "p99_ms": quantiles[98] * 1000,
    }


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
    parser.add_argument("--sleepers", action="store_true")
    options = parser.parse_args()
    if options.sleepers:
        work = sleepers(options.sdk, options.target, options.workflows)
    else:
        work = measure(options.sdk, options.target, options.in_flight, options.workflows)
    try:
        import uvloop

        figures = uvloop.run(work)
    except ImportError:
        figures = asyncio.run(work)
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
