"""External storage: whose payloads a driver is told it stores."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from stage import Stage

from outlast import activity, workflow
from outlast.api.common.v1 import Payload
from outlast.converter import DataConverter, ExternalStorage, StorageDriver, StorageDriverClaim

LIMIT = timedelta(seconds=10)
BIG = "x" * 2000


class Shelf(StorageDriver):
    """Keeps payloads in a dict; notes whose they are."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.targets: list[tuple[Any, ...]] = []

    def name(self) -> str:
        return "shelf"

    async def store(self, context: Any, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        target = context.target
        self.targets.append(target and (type(target).__name__, target.id, target.run_id, target.type))
        keys = [str(len(self.kept) + number) for number in range(len(payloads))]
        self.kept.update((key, one.SerializeToString()) for key, one in zip(keys, payloads, strict=True))
        return [StorageDriverClaim(claim_data={"key": key}) for key in keys]

    async def retrieve(self, context: Any, claims: Sequence[StorageDriverClaim]) -> list[Payload]:
        return [Payload.FromString(self.kept[claim.claim_data["key"]]) for claim in claims]


@activity.defn
async def double(text: str) -> str:
    activity.heartbeat(text)
    return text + text


@workflow.defn
class Doubling:
    @workflow.run
    async def run(self) -> int:
        return len(await workflow.execute_activity("double", BIG, start_to_close_timeout=LIMIT))


class Elsewhere:
    def __init__(self) -> None:
        self.taken: asyncio.Queue[Any] = asyncio.Queue()

    @activity.defn
    async def later(self) -> str:
        self.taken.put_nowait(activity.info())
        activity.raise_complete_async()


def kept_on(shelf: Shelf, stage: Stage) -> Any:
    storage = ExternalStorage([shelf], payload_size_threshold=1000)
    return stage.with_options(data_converter=DataConverter(external_storage=storage))


async def test_activities_of_a_workflow_store_for_the_workflow(stage: Stage) -> None:
    shelf = Shelf()
    client = kept_on(shelf, stage)
    async with stage.worker(Doubling, activities=[double], client=client):
        handle = await client.start_workflow(Doubling.run, id=stage.id(), task_queue=stage.queue)
        assert await handle.result() == 4000
    ours = ("StorageDriverWorkflowInfo", handle.id, handle.result_run_id, "Doubling")
    # The details of heartbeats are the activity's own.
    assert Counter(shelf.targets) == Counter([("StorageDriverActivityInfo", "1", None, "double"), ours, ours])


async def test_activities_without_a_workflow_store_for_themselves(stage: Stage) -> None:
    shelf, elsewhere = Shelf(), Elsewhere()
    client = kept_on(shelf, stage)
    options = {"task_queue": stage.queue, "start_to_close_timeout": LIMIT}
    async with stage.worker(activities=[double, elsewhere.later], client=client):
        handle = await client.start_activity(double, BIG, id=stage.id(), **options)
        assert await handle.result() == BIG * 2
        later = await client.start_activity("later", id=stage.id(), **options)
        info = await elsewhere.taken.get()
        by_id = client.get_async_activity_handle(activity_id=info.activity_id, run_id=info.activity_run_id)
        await by_id.complete(BIG)
        assert await later.result() == BIG
    assert Counter(shelf.targets) == Counter(
        [
            ("StorageDriverActivityInfo", handle.id, None, "double"),
            ("StorageDriverActivityInfo", handle.id, handle.run_id, "double"),
            ("StorageDriverActivityInfo", handle.id, handle.run_id, "double"),
            ("StorageDriverActivityInfo", later.id, later.run_id, None),
        ]
    )
