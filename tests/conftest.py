"""What holds for every test: speed is never asserted, also not by Hypothesis."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("outlast", deadline=None)
settings.load_profile("outlast")
