"""What a worker costs at its start, beside the imports of its workflow module: python -m benchmarks.start.

The module imports pydantic, and numpy where it is installed. The determinism guard must not import anything again.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

from outlast.worker import Replayer

_SOURCE = """
import pydantic
{numpy}
from outlast import workflow

class Order(pydantic.BaseModel):
    amount: int

def checked(order: Order) -> Order:
    return order

@workflow.defn
class Checks:
    @workflow.run
    async def run(self, order: Order) -> Order:
        return checked(order)
"""


def main() -> None:
    """Measure once, in a fresh process, and print."""
    numpy = importlib.util.find_spec("numpy") is not None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "start_workflows.py").write_text(_SOURCE.format(numpy="import numpy" if numpy else ""))
        sys.path.insert(0, folder)
        began = time.perf_counter()
        module = importlib.import_module("start_workflows")
        imported = time.perf_counter()
        before, order = dict(sys.modules), module.Order
        Replayer(workflows=[module.Checks])
        made = time.perf_counter()
        Replayer(workflows=[module.Checks])
        again = time.perf_counter()
    if dict(sys.modules) != before or module.Order is not order:
        raise RuntimeError("the guard has imported something")
    what = "pydantic and numpy" if numpy else "pydantic (numpy is not installed)"
    print(f"imports of the workflow module, {what}: {(imported - began) * 1e3:.0f} ms")
    print(
        f"the guard's look at it: {(made - imported) * 1e3:.1f} ms, for the next worker {(again - made) * 1e3:.2f} ms"
    )


if __name__ == "__main__":
    main()
