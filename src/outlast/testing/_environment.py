"""The environment of a test: an engine in this process with a clock that jumps, or with the wall's.

Rule: it is the production engine over storage in memory. Nothing is downloaded, nothing is started, no port is opened
unless one is asked for. Environments share nothing: each has its own time.

Source: temporalio.testing.WorkflowEnvironment; rules 3.14.1 and 3.14.3.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from outlast.client import Client, ClientConfig, Interceptor, Plugin, WorkflowHandle
from outlast.common import QueryRejectCondition, SearchAttributeKey
from outlast.converter import DataConverter
from outlast.service import RetryConfig, TLSConfig

from ._engine import Engine, open_engine
from ._mocks import ActivityMock, activity_mock

if TYPE_CHECKING:
    from outlast.runtime import Runtime

_STUCK_AFTER = timedelta(seconds=5)


class WorkflowEnvironment:
    """Where workflows of a test run. ``async with`` it, or ``shutdown`` it."""

    def __init__(self, client: Client, *, _engine: Engine | None = None) -> None:
        """An environment around an existing client; ``from_client`` reads better."""
        self._client = client
        self._engine = _engine
        self._skips = _engine is not None and _engine.clock is not None

    @staticmethod
    def from_client(client: Client) -> WorkflowEnvironment:
        """An environment over any server: it does not skip time, and leaves the client open at its end."""
        return WorkflowEnvironment(client)

    @staticmethod
    async def start_time_skipping(
        *,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        port: int | None = None,
        download_dest_dir: str | None = None,
        runtime: Runtime | None = None,
        test_server_existing_path: str | None = None,
        test_server_download_version: str = "default",
        test_server_extra_args: Sequence[str] = [],
        test_server_download_ttl: timedelta | None = None,
        test_server_startup_timeout: timedelta | None = None,
        raise_task_failures: bool = True,
        replay_completed: bool = True,
        stuck_after: timedelta | None = _STUCK_AFTER,
    ) -> WorkflowEnvironment:
        """Start an engine whose time jumps to the next timer, retry or timeout while somebody waits for a result.

        What names a downloaded binary (``download_dest_dir``, ``test_server_*``) is taken and not needed: the engine
        runs in this process.

        Args:
            port: listen there for gRPC clients, too; none by default.
            raise_task_failures: a workflow task that fails ends every wait for a result with WorkflowTaskFailedError.
            replay_completed: replay every completed workflow once, and raise what is not deterministic: from the wait
                for its result, or at the end of the environment.
            stuck_after: real time without any news after which a result that can never come ends the wait with
                StuckError; None for never.
        """
        engine = await open_engine(
            skipping=True,
            port=port,
            raise_task_failures=raise_task_failures,
            replay_completed=replay_completed,
            stuck_after=stuck_after,
        )
        config = _config(data_converter, interceptors, plugins, default_workflow_query_reject_condition)
        client = engine.client(config, retry_config, rpc_metadata, identity, runtime)
        return WorkflowEnvironment(client, _engine=engine)

    @staticmethod
    async def start_local(
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        tls: bool | TLSConfig = False,
        ip: str = "127.0.0.1",
        port: int | None = None,
        download_dest_dir: str | None = None,
        ui: bool = False,
        runtime: Runtime | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dev_server_existing_path: str | None = None,
        dev_server_database_filename: str | None = None,
        dev_server_log_format: str = "pretty",
        dev_server_log_level: str | None = "warn",
        dev_server_download_version: str = "default",
        dev_server_extra_args: Sequence[str] = [],
        dev_server_download_ttl: timedelta | None = None,
        dev_server_startup_timeout: timedelta | None = None,
        ui_port: int | None = None,
        raise_task_failures: bool = True,
        replay_completed: bool = True,
        stuck_after: timedelta | None = _STUCK_AFTER,
    ) -> WorkflowEnvironment:
        """Start an engine on the wall's time.

        What names a downloaded binary (``download_dest_dir``, ``dev_server_*`` but the database) is taken and not
        needed: the engine runs in this process.

        Args:
            namespace: of the client; made where it does not exist.
            ip, port: listen there for gRPC clients, too; nowhere without a port.
            ui, ui_port: serve the web UI at this port of ``ip``; by default at a free one, which the log names.
            search_attributes: keys that workflows may carry.
            dev_server_database_filename: keep everything in this file; in memory by default.
            raise_task_failures, replay_completed, stuck_after: as for ``start_time_skipping``.
        """
        if tls:
            raise NotImplementedError("WorkflowEnvironment.start_local(tls=...): the local engine has no TLS")
        engine = await open_engine(
            skipping=False,
            namespace=namespace,
            database=dev_server_database_filename,
            ip=ip,
            port=port,
            ui_port=(ui_port or 0) if ui else None,
            raise_task_failures=raise_task_failures,
            replay_completed=replay_completed,
            stuck_after=stuck_after,
        )
        config = _config(data_converter, interceptors, plugins, default_workflow_query_reject_condition)
        config["namespace"] = namespace
        client = engine.client(config, retry_config, rpc_metadata, identity, runtime)
        if search_attributes:
            await engine.register(namespace, search_attributes, client)
        return WorkflowEnvironment(client, _engine=engine)

    @staticmethod
    async def start_time_skipping_v2(*, ts_config: Any = None, **kwargs: Any) -> NoReturn:
        """Time skipping for each workflow by itself is not built; ``start_time_skipping`` skips for all of them."""
        raise NotImplementedError(
            "WorkflowEnvironment.start_time_skipping_v2 (a clock for each workflow) is not built; use "
            "start_time_skipping: environments are cheap, and each has a clock of its own"
        )

    async def __aenter__(self) -> Self:
        """This environment."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shut it down. What is found then does not hide an error of the test."""
        try:
            await self.shutdown()
        except Exception:
            if error is None:
                raise

    @property
    def client(self) -> Client:
        """The client."""
        return self._client

    async def connect_client(self, **kwargs: Any) -> Client:
        """Another client of the same engine: keyword arguments of ``Client``, which replace those of ``client``."""
        config = self._client.config()
        unknown = set(kwargs) - set(ClientConfig.__annotations__)
        if unknown:
            raise TypeError(f"connect_client() got unexpected keyword arguments: {', '.join(sorted(unknown))}")
        config.update(kwargs)  # type: ignore[typeddict-item]
        return Client(**config)

    async def shutdown(self) -> None:
        """End the environment and everything in it; an environment of ``from_client`` is left alone.

        Raises:
            NondeterminismError: a completed workflow whose result nobody awaited does not replay.
        """
        if self._engine is not None:
            await self._engine.shutdown()

    # -- time ------------------------------------------------------------------------------------------------------

    @property
    def supports_time_skipping(self) -> bool:
        """Whether time jumps."""
        return self.supports_time_skipping_v1 or self.supports_time_skipping_v2

    @property
    def supports_time_skipping_v1(self) -> bool:
        """Whether one clock for all workflows jumps."""
        return self._skips

    @property
    def supports_time_skipping_v2(self) -> bool:
        """Whether each workflow has a clock that jumps: never."""
        return False

    async def sleep(self, duration: timedelta | float) -> None:
        """Let this much time pass: by jumps, or really where the environment does not skip.

        Args:
            duration: seconds, if it is a number.

        Raises:
            ValueError: it is below zero, or no number.
        """
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
        if seconds < 0 or not math.isfinite(seconds):
            raise ValueError(f"WorkflowEnvironment.sleep: a duration of {seconds:g} s cannot pass; give zero or more")
        if self._engine is None or self._engine.clock is None:
            await asyncio.sleep(seconds)
            return
        clock = self._engine.clock
        until = clock.now() + round(seconds * 1e9)
        async with self._engine.transport.jumping(always=True):
            await clock.sleep_until(until)

    async def get_current_time(self, handle: WorkflowHandle[Any, Any] | None = None) -> datetime:
        """The time of the environment.

        Args:
            handle: has no clock of its own here; its time is everybody's.
        """
        if self._engine is None or self._engine.clock is None:
            return datetime.now(UTC)
        seconds, nanos = divmod(self._engine.clock.now(), 1_000_000_000)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanos // 1000)

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Inside, waiting for a result does not let time jump; ``sleep`` still does."""
        transport = self._engine.transport if self._engine is not None else None
        if transport is None or not transport.skips:
            yield
            return
        transport.skips = False
        try:
            yield
        finally:
            transport.skips = True

    def with_time_skipping_disabled(self) -> Any:
        """The same as ``auto_time_skipping_disabled``."""
        return self.auto_time_skipping_disabled()

    async def fast_forward(
        self, handle: WorkflowHandle[Any, Any], duration: timedelta | float | None = None, /
    ) -> NoReturn:
        """Not built: no workflow has a clock of its own."""
        raise NotImplementedError(
            "WorkflowEnvironment.fast_forward (time skipping of one workflow) is not built; env.sleep(...) moves the "
            "time of the whole environment"
        )

    async def get_time_skipping_info(self, handle: WorkflowHandle[Any, Any]) -> None:
        """None: no workflow has a clock of its own."""
        return

    # -- mocks -----------------------------------------------------------------------------------------------------

    def mock(
        self,
        target: Callable[..., Any] | str,
        *,
        returns: Any = None,
        raises: BaseException | type[BaseException] | None = None,
    ) -> ActivityMock:
        """Put a mock in place of an activity, for all workers of this environment that are made later.

        Args:
            target: the activity, or its name.
            returns: the result; a function is called with the arguments, and awaited where that gives an awaitable.
            raises: raised instead.

        Returns:
            The mock, with the arguments of all calls in ``calls``.

        Raises:
            TypeError: a function that is no activity.
            ValueError: the activity has a mock already, or a worker runs it.
            RuntimeError: this environment only has a client.
        """
        if self._engine is None:
            raise RuntimeError("WorkflowEnvironment.from_client cannot mock: its workers are not of this environment")
        mock = activity_mock(target, {"returns": returns, "raises": raises})
        self._engine.mocks.mock(mock.name, mock)
        return mock

    # -- task failures ---------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def task_failures_expected(self) -> AsyncIterator[None]:
        """Inside, workflow tasks may fail and be tried again, as in production."""
        transport = self._engine.transport if self._engine is not None else None
        before = transport.raises_task_failures if transport is not None else False
        if transport is not None:
            transport.raises_task_failures = False
        try:
            yield
        finally:
            if transport is not None:
                transport.raises_task_failures = before
                transport.forget_failure()

    # -- nexus -----------------------------------------------------------------------------------------------------

    async def create_nexus_endpoint(self, endpoint_name: str, task_queue: str) -> NoReturn:
        """Not built."""
        raise NotImplementedError("WorkflowEnvironment.create_nexus_endpoint: Nexus is not built in outlast")

    async def delete_nexus_endpoint(self, endpoint: Any) -> NoReturn:
        """Not built."""
        raise NotImplementedError("WorkflowEnvironment.delete_nexus_endpoint: Nexus is not built in outlast")


def _config(
    data_converter: DataConverter,
    interceptors: Sequence[Interceptor],
    plugins: Sequence[Plugin],
    reject_condition: QueryRejectCondition | None,
) -> dict[str, Any]:
    return {
        "data_converter": data_converter,
        "interceptors": interceptors,
        "plugins": plugins,
        "default_workflow_query_reject_condition": reject_condition,
    }
