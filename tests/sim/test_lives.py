"""A short simulation with fixed seeds; ``make sim SEED=n LIVES=m`` runs others."""

from __future__ import annotations

import pytest
from wild import WildLife


@pytest.mark.parametrize("seed", range(12))
async def test_every_law_holds_in_a_wild_life(seed: int) -> None:
    await WildLife(seed).run()
