"""The SDK's brain: history events in, commands out. Reads no clock, waits for nothing, talks to nobody.

``Run`` is one cached workflow run; ``RunConfig`` is what its worker gives it; ``HistoryGap`` asks for a full history.
"""

from __future__ import annotations

from .config import PatchActivationInput, RunConfig
from .local_work import LocalOutcome, LocalTask
from .run import HistoryGap, Run

__all__ = ["HistoryGap", "LocalOutcome", "LocalTask", "PatchActivationInput", "Run", "RunConfig"]
