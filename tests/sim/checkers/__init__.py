"""Laws of a simulated life, one a file: ``check(life)`` after every step, ``at_the_end(life)`` when all has ended.

The laws of single runs are in ``tests/server/laws.py``; these are about runs together, and about what was promised.
"""

from __future__ import annotations

from types import ModuleType

from . import acknowledged, children, current, listed, nothing_left, updates

ALL: list[ModuleType] = [acknowledged, children, current, listed, nothing_left, updates]
