"""Random workflows against a random server: live, replayed by us, and replayed by Temporal's SDK, all the same."""

from __future__ import annotations

import pytest
from replay_compat import replay_with_temporalio
from replay_fuzz import RandomServer

import outlast.api.enums.v1 as e


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", [*range(6), 24, 89, 371, pytest.param(607, id="closes with cancels under way")])
async def test_both_sdks_agree(seed: int) -> None:
    script = RandomServer(seed).play()
    answer = script.replay()
    assert answer.completed_type == e.QUERY_RESULT_TYPE_ANSWERED, answer.error_message
    await replay_with_temporalio(script)
