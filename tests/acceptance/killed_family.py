"""An application with its engine inside, made to be killed: a parent fans out, signals its children, and ends.

python killed_family.py DATABASE    ends when the parent has ended; prints its result
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta

from outlast import workflow
from outlast.client import Client
from outlast.common import WorkflowIDReusePolicy
from outlast.exceptions import WorkflowAlreadyStartedError
from outlast.worker import Worker
from outlast.workflow import ParentClosePolicy

CHILDREN = 150
PARENT = "family"


def child_id(number: int) -> str:
    return f"child-{number}"


@workflow.defn
class Child:
    """Waits for one signal."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.signal
    def say(self, word: str) -> None:
        self.words.append(word)

    @workflow.run
    async def run(self, number: int) -> str:
        await workflow.wait_condition(lambda: bool(self.words))
        return f"{number} {self.words}"


@workflow.defn
class Parent:
    """Starts the children, signals every one, and leaves the last one to its close policy."""

    @workflow.run
    async def run(self) -> int:
        await workflow.start_child_workflow(
            Child.run, -1, id=child_id(-1), parent_close_policy=ParentClosePolicy.TERMINATE
        )
        answers = await asyncio.gather(*(self.one(number) for number in range(CHILDREN)))
        return len(set(answers))

    async def one(self, number: int) -> str:
        handle = await workflow.start_child_workflow(Child.run, number, id=child_id(number))
        await handle.signal(Child.say, "hello")
        return await handle


async def main(database: str) -> None:
    client = await Client.connect(f"sqlite:///{database}")
    print("ready", flush=True)
    async with Worker(client, task_queue="family", workflows=[Parent, Child]):
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await client.start_workflow(
                Parent.run,
                id=PARENT,
                task_queue="family",
                task_timeout=timedelta(seconds=1),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        print(await client.get_workflow_handle(PARENT).result(), flush=True)
    await client.service_client.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
