"""``python tests/sim/run.py SEED LIVES``: random lives; of one that breaks a law its seed, its steps and the law."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

_TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(_TESTS / room) for room in ("engine", "server", "sim")]

from wild import WildLife  # noqa: E402


def main(first: int, lives: int) -> int:
    """Run the lives; answers how many of them broke a law."""
    logging.disable()  # a store that fails is logged, and here it fails on purpose
    began, steps, broken = time.monotonic(), Counter[str](), []
    for seed in range(first, first + lives):
        life = WildLife(seed)
        try:
            asyncio.run(life.run())
        except Exception:
            broken.append(seed)
            traceback.print_exc()
        steps.update(step.split(":")[0] for step in life.steps)
    told = ", ".join(f"{name} {count}" for name, count in sorted(steps.items()))
    sys.stdout.write(
        f"{lives} lives from seed {first}, {sum(steps.values())} steps in {time.monotonic() - began:.1f} s: {told}\n"
        + (f"laws were broken with the seeds {broken}\n" if broken else "every law held\n")
    )
    return len(broken)


if __name__ == "__main__":
    first, lives = (int(argument) for argument in sys.argv[1:3])
    sys.exit(1 if main(first, lives) else 0)
