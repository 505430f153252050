"""The pytest plugin: loaded by pytest where outlast is installed.

Fixtures: ``workflow_env`` (an environment whose time jumps), ``workflow_client`` (its client),
``crash_after_every_event`` and ``replay_histories`` (the functions of ``outlast.testing``).

Rule: nothing of outlast is imported before a fixture is used, so that other tests start as fast as without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

try:
    from pytest_asyncio import fixture as async_fixture
except ImportError:

    def async_fixture(function: Any) -> Any:  # type: ignore[no-redef]
        """Without pytest-asyncio there is no event loop to run the fixture in."""

        @pytest.fixture(name=function.__name__)
        def missing() -> None:
            pytest.fail(f"the fixture {function.__name__} needs pytest-asyncio: pip install pytest-asyncio")

        return missing


if TYPE_CHECKING:
    from outlast.client import Client
    from outlast.testing import WorkflowEnvironment


@async_fixture
async def workflow_env() -> AsyncIterator[WorkflowEnvironment]:
    """An environment whose time jumps while the test waits for a result."""
    from outlast.testing import WorkflowEnvironment

    async with await WorkflowEnvironment.start_time_skipping() as env:
        yield env


@async_fixture
async def workflow_client(workflow_env: WorkflowEnvironment) -> Client:
    """The client of ``workflow_env``."""
    return workflow_env.client


@pytest.fixture
def crash_after_every_event() -> Any:
    """``outlast.testing.crash_after_every_event``: await it in a test."""
    from outlast.testing import crash_after_every_event

    return crash_after_every_event


@pytest.fixture
def replay_histories() -> Any:
    """``outlast.testing.replay_histories``: await it in a test."""
    from outlast.testing import replay_histories

    return replay_histories
