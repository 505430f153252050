"""A closed loop: a fixed number of workflows in flight, measured from start to result.

Imports only the standard library, for it runs in environments where outlast is not installed.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from benchmarks.processes import cpu_of

Call = Callable[[str], Awaitable[str]]
"""Runs the pipeline for one order id; answers the id of its charge."""


async def closed_loop(call: Call, prefix: str, in_flight: int, workflows: int) -> list[float]:
    """Run workflows with a fixed number in flight; answers each one's latency in seconds, start to result."""
    latencies: list[float] = []
    numbers = iter(range(workflows))

    async def one_after_the_other() -> None:
        for number in numbers:
            order_id = f"{prefix}-{number}"
            begin = time.perf_counter()
            result = await call(order_id)
            latencies.append(time.perf_counter() - begin)
            assert result == f"charge_{order_id}_ok", result

    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return latencies


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(call: Call, in_flight: int, workflows: int, server_pid: int = 0) -> dict[str, float]:
    """Warm up with a tenth of the load, then measure one closed loop.

    Args:
        server_pid: the process whose CPU time (with that of its children) is measured beside our own; 0 for none.
    """

    def server_seconds() -> float:
        return cpu_of(server_pid) if server_pid else 0.0

    await closed_loop(call, "warm-up", in_flight, max(in_flight, workflows // 10))
    cpu, server_cpu, begin = cpu_seconds(), server_seconds(), time.perf_counter()
    latencies = await closed_loop(call, "order", in_flight, workflows)
    wall, cpu, server_cpu = time.perf_counter() - begin, cpu_seconds() - cpu, server_seconds() - server_cpu
    quantiles = statistics.quantiles(latencies, n=100)
    return {
        "workflows": workflows,
        "wall_s": wall,
        "cpu_s": cpu,
        "server_cpu_s": server_cpu,
        "p50_ms": quantiles[49] * 1000,
        "p99_ms": quantiles[98] * 1000,
    }


def run_and_print(work: Coroutine[Any, Any, dict[str, float]]) -> None:
    """Run the work on uvloop where it is installed, and print its figures as one line of JSON."""
    try:
        import uvloop

        figures = uvloop.run(work)
    except ImportError:
        figures = asyncio.run(work)
    print(json.dumps(figures), flush=True)
