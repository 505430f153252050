"""Plugins: what they bring reaches clients, workers and replayers, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

import outlast.client
import outlast.worker
from outlast import activity, workflow
from outlast.client import Client, ClientConfig
from outlast.contrib.pydantic import pydantic_data_converter
from outlast.plugin import SimplePlugin
from outlast.service import ConnectConfig
from outlast.worker import ExecuteActivityInput, Replayer, Worker
from outlast.worker.workflow_sandbox import SandboxedWorkflowRunner


class Refused(Exception):
    pass


@activity.defn
async def shout(text: str) -> str:
    return text.upper()


@workflow.defn
class Shouting:
    @workflow.run
    async def run(self, text: str) -> str:
        if not text:
            raise Refused("nothing to shout")
        return await workflow.execute_activity(shout, text, start_to_close_timeout=timedelta(seconds=5))


class Both(outlast.client.Interceptor, outlast.worker.Interceptor):
    def __init__(self) -> None:
        self.activities: list[Any] = []

    def intercept_activity(self, next: Any) -> Any:
        log = self.activities

        class Log(outlast.worker.ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                log.append(input.args[0])
                return await super().execute_activity(input)

        return Log(next)


class OnlyClient(outlast.client.Interceptor):
    pass


class OnlyWorker(outlast.worker.Interceptor):
    pass


async def test_one_plugin_for_client_worker_and_replayer() -> None:
    entered: list[str] = []

    @asynccontextmanager
    async def context() -> AsyncIterator[None]:
        entered.append("in")
        yield
        entered.append("out")

    both, only_client, only_worker = Both(), OnlyClient(), OnlyWorker()
    runner = SandboxedWorkflowRunner()
    plugin = SimplePlugin(
        "all",
        data_converter=lambda given: pydantic_data_converter,
        interceptors=[both, only_client, only_worker],
        activities=[shout],
        workflows=lambda given: [*(given or ()), Shouting],
        workflow_runner=runner,
        workflow_failure_exception_types=[Refused],
        run_context=context,
    )
    assert plugin.name() == "all"
    client = await Client.connect("sqlite://:memory:", plugins=[plugin])
    async with client:
        active = client.config(active_config=True)
        assert active["data_converter"] is pydantic_data_converter
        assert active["interceptors"] == [both, only_client]
        worker = Worker(client, task_queue="q")
        config = worker.config(active_config=True)
        assert config["interceptors"] == [only_worker]
        assert config["activities"] == [shout] and config["workflows"] == [Shouting]
        assert config["workflow_runner"] is runner
        async with worker:
            handle = await client.start_workflow(Shouting.run, "hey", id="a", task_queue="q")
            assert await handle.result() == "HEY"
            with pytest.raises(outlast.client.WorkflowFailureError, match="Workflow execution failed"):
                await client.execute_workflow(Shouting.run, "", id="b", task_queue="q")
        assert entered == ["in", "out"]
        assert both.activities == ["hey"]  # once, although it is an interceptor of client and worker
        history = await handle.fetch_history()
    replayer = Replayer(workflows=[], plugins=[plugin])
    assert replayer.config(active_config=True)["interceptors"] == [both, only_worker]
    assert (await replayer.replay_workflow(history)).replay_failure is None
    assert entered == ["in", "out"] * 2


async def test_earlier_plugins_connect_around_later_ones() -> None:
    order: list[str] = []

    class Named(outlast.client.Plugin):
        def __init__(self, label: str) -> None:
            self.label = label

        def configure_client(self, config: ClientConfig) -> ClientConfig:
            order.append(f"configure {self.label}")
            return config

        async def connect_service_client(self, config: ConnectConfig, next: Any) -> Any:
            order.append(f"connect {self.label}")
            config.identity = self.label
            return await next(config)

    async with await Client.connect("sqlite://:memory:", plugins=[Named("first"), Named("second")]) as client:
        assert client.identity == "second"
    assert order == ["connect first", "connect second", "configure first", "configure second"]


async def test_a_plugin_of_both_is_warned_about() -> None:
    plugin = SimplePlugin("p", workflows=[Shouting])
    async with await Client.connect("sqlite://:memory:", plugins=[plugin]) as client:
        with pytest.warns(UserWarning, match="present from both client and worker"):
            Worker(client, task_queue="q", plugins=[SimplePlugin("other")])
