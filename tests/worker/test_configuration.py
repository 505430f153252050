"""What the constructors refuse, and that their parameters are temporalio's."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import temporalio.worker
from programs import Call, Steps, greet, greet_in_thread

from outlast import activity, workflow
from outlast.client import Client
from outlast.worker import PollerBehaviorSimpleMaximum, Replayer, Worker


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    connected = await Client.connect("sqlite://:memory:")
    yield connected
    await connected.service_client.close()


def make(client: Client, **parameters: Any) -> Worker:
    return Worker(client, **{"task_queue": "q", "workflows": [Steps], "activities": [greet], **parameters})


@pytest.mark.parametrize("name", ["Worker", "Replayer"])
def test_parameters_and_defaults_are_the_same(name: str) -> None:
    ours = inspect.signature({"Worker": Worker, "Replayer": Replayer}[name]).parameters
    theirs = inspect.signature(getattr(temporalio.worker, name)).parameters
    assert list(ours) == list(theirs)
    plain = (int, float, bool, str, timedelta, type(None), type(inspect.Parameter.empty))
    for parameter, value in theirs.items():
        if isinstance(value.default, plain):
            assert ours[parameter].default == value.default, parameter


def test_public_names_that_are_missing() -> None:
    import outlast.worker

    missing = set(temporalio.worker.__all__) - set(outlast.worker.__all__)
    assert {name for name in missing if not any(part in name for part in ("Nexus", "Slot", "Tuner", "Shared"))} == {
        "WorkflowInstance",
        "WorkflowInstanceDetails",
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"workflows": [], "activities": []}, "At least one activity"),
        ({"task_queue": ""}, "task_queue is empty"),
        ({"max_eager_activity_reservations_per_workflow_task": 0}, "must be positive"),
        ({"max_cached_workflows": -1}, "max_cached_workflows"),
        ({"max_concurrent_workflow_tasks": 1}, "max_concurrent_workflow_tasks must be at least 2"),
        ({"max_concurrent_workflow_task_polls": 1}, "max_concurrent_workflow_task_polls must be at least 2"),
        ({"max_activities_per_second": 0}, "max_activities_per_second must be above 0"),
        ({"workflows": [Steps()]}, "Workflow Steps is given as an instance; pass the class, Steps"),
        ({"activities": [greet, greet]}, "More than one activity named greet"),
        ({"workflows": [Steps, Steps]}, "More than one workflow named Steps"),
    ],
)
async def test_impossible_values(client: Client, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(client, **parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"nexus_service_handlers": [object()]},
        {"disable_safe_workflow_eviction": True},
        {"workflow_runner": object()},
        {"nexus_task_poller_behavior": PollerBehaviorSimpleMaximum(2)},
    ],
)
async def test_what_is_not_built_names_itself(client: Client, parameters: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=next(iter(parameters))):
        make(client, **parameters)


async def test_one_poll_is_enough_without_a_cache(client: Client) -> None:
    make(client, max_cached_workflows=0, max_concurrent_workflow_tasks=1, max_concurrent_workflow_task_polls=1)


async def test_processes_need_a_shared_state_manager(client: Client) -> None:
    with ThreadPoolExecutor(200) as pool:
        make(client, activities=[greet_in_thread], activity_executor=pool)
    with ProcessPoolExecutor(1) as processes:
        make(client, activities=[greet], activity_executor=processes)
        with pytest.raises(ValueError, match=r"greet_in_thread.*shared_state_manager"):
            make(client, activities=[greet_in_thread], activity_executor=processes)


async def test_too_few_threads_are_worth_a_warning(client: Client) -> None:
    with ThreadPoolExecutor(2) as pool, pytest.warns(UserWarning, match="max_workers is only 2"):
        make(client, activities=[greet_in_thread], activity_executor=pool)


async def test_undecorated_callables_and_classes(client: Client) -> None:
    async def plain() -> None: ...

    class Plain: ...

    @activity.defn
    class Instance:
        async def __call__(self) -> None: ...

    with pytest.raises(TypeError, match=r"decorated with @activity\.defn"):
        make(client, activities=[plain])
    with pytest.raises(ValueError, match=r"decorated with @workflow\.defn"):
        make(client, workflows=[Plain])
    with pytest.raises(TypeError, match="class instead of an instance"):
        make(client, activities=[Instance])
    make(client, activities=[Instance()])


async def test_a_method_without_its_instance_is_worth_a_warning(client: Client) -> None:
    class Shop:
        @activity.defn
        async def sell(self, what: str) -> None: ...

    with pytest.warns(UserWarning, match="first parameter named self"):
        make(client, activities=[Shop.sell])


async def test_config_shows_what_was_given(client: Client) -> None:
    config = make(client, max_cached_workflows=7).config()
    assert (config["task_queue"], config["max_cached_workflows"], config["workflows"]) == ("q", 7, [Steps])
    assert set(config) == set(inspect.signature(Worker).parameters)


def test_a_replayer_needs_workflows() -> None:
    with pytest.raises(ValueError, match="At least one workflow"):
        Replayer(workflows=[])
    with pytest.raises(NotImplementedError, match="build_id"):
        Replayer(workflows=[Call], build_id="x")


def test_workflow_module_is_usable_beside_the_worker() -> None:
    assert not workflow.in_workflow()
