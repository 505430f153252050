"""Mocks in place of activities: ``unittest.mock`` objects as they are, and ``env.mock`` with types.

A mock that has a name, of its own or from ``create_autospec``, stands in for the activity of that name. Others are
given out in the order in which workflows first call activities that nobody runs; one with a ``spec`` only takes a call
that its signature fits. What is given out stays given out, for the whole environment.

Rule: where the order could be another one the next time, it is an error that says how to name the mocks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import NonCallableMock

from outlast import activity, workflow
from outlast.activity._definition import Definition
from outlast.common import RawValue
from outlast.exceptions import ApplicationError
from outlast.worker import (
    Interceptor,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

_CURE = "name each mock, AsyncMock(name='activity_name'), use create_autospec(activity), or env.mock(activity, ...)"


def is_mock(candidate: Any) -> bool:
    """Whether this is a ``unittest.mock`` object, or a function that ``create_autospec`` made."""
    return isinstance(candidate, NonCallableMock) or isinstance(getattr(candidate, "mock", None), NonCallableMock)


def name_of(mock: Any) -> str | None:
    """The activity that a mock names, as ``create_autospec`` does with its function; None when it names none."""
    name: str | None = mock._mock_name if isinstance(mock, NonCallableMock) else mock.__name__
    return name or None


@dataclass
class ActivityMock:
    """What ``env.mock`` puts in place of an activity, and a record of its calls."""

    name: str
    returns: Any = None
    raises: BaseException | type[BaseException] | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    """The arguments of every call so far, in order; a retry is a call."""

    async def __call__(self, *args: Any) -> Any:
        """Record the call, then raise or return what was asked for; a function is called with the arguments."""
        self.calls.append(args)
        if self.raises is not None:
            raise self.raises
        result = self.returns(*args) if callable(self.returns) else self.returns
        return await result if inspect.isawaitable(result) else result


class _Unnamed:
    """A mock that waits for the activity that it is to stand in for."""

    def __init__(self, mock: Any) -> None:
        self.mock = mock
        self.signature: inspect.Signature | None = getattr(mock, "_spec_signature", None)

    def fits(self, types: Sequence[type] | None, count: int) -> bool:
        """Whether a call with so many arguments, of these types where they are known, is one of this mock's."""
        if self.signature is None:
            return True
        parameters = list(self.signature.parameters.values())
        if types is not None:
            return [p.annotation for p in parameters] in (list(types), [_written(one) for one in types])
        required = [p for p in parameters if p.default is inspect.Parameter.empty]
        return len(required) <= count <= len(parameters)


def _written(type_: Any) -> str:
    return getattr(type_, "__name__", str(type_))


class Mocks(Interceptor):
    """The mocks of one environment, by activity type."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        self._unnamed: list[_Unnamed] = []
        self._given_to: dict[str, str] = {}
        self._types: dict[str, list[type] | None] = {}
        self._registered: set[str] = set()

    def mock(self, name: str, mock: ActivityMock) -> None:
        """Put ``mock`` in place of the activity.

        Raises:
            ValueError: it has a mock already, or a worker that was made before runs the activity itself.
        """
        if name in self._named:
            raise ValueError(f"activity {name!r} has a mock already; change that one, or use another environment")
        if name in self._registered:
            raise ValueError(f"activity {name!r} is run by a worker that exists already; call env.mock before Worker")
        self._named[name] = mock

    def replace(self, activities: Sequence[Any]) -> list[Any]:
        """The activities of a worker with mocks in their place."""
        real = []
        for candidate in activities:
            if isinstance(candidate, ActivityMock):
                continue  # it was put in place when it was made
            if not is_mock(candidate):
                real.append(candidate)
                continue
            name = name_of(candidate)
            if name is None:
                self._unnamed.append(_Unnamed(candidate))
            elif self._named.setdefault(name, candidate) is not candidate:
                raise ValueError(f"activity {name!r} has two mocks; keep one of them")
        definitions = [Definition.must_from_callable(one) for one in real]
        self._registered |= {definition.name for definition in definitions if definition.name is not None}
        kept = [one for one, definition in zip(real, definitions, strict=True) if definition.name not in self._named]
        if not self._named and not self._unnamed:
            return kept
        if any(definition.name is None for definition in definitions):
            raise ValueError(f"a worker with a dynamic activity cannot have mocks that must be found by name; {_CURE}")
        return [*kept, self._dynamic()]

    def _dynamic(self) -> Any:
        @activity.defn(dynamic=True)
        async def run_mock(args: Sequence[RawValue]) -> Any:
            return await self._run(activity.info().activity_type, args)

        return run_mock

    async def _run(self, name: str, args: Sequence[RawValue]) -> Any:
        mock = self._named.get(name)
        if mock is None:
            raise ApplicationError(
                f"activity {name!r} is run by no worker, and no mock is left for it: register it, or add a mock "
                f"({_CURE})",
                type="NotFoundError",
                non_retryable=True,
            )
        hints = self._types.get(name)
        values = activity.payload_converter().from_payloads(
            [raw.payload for raw in args], hints if hints is not None and len(hints) == len(args) else None
        )
        result = mock(*values)
        if inspect.isawaitable(result):
            result = await result
        if is_mock(result):
            raise ApplicationError(
                f"the mock of activity {name!r} returned another mock; give it a return_value", non_retryable=True
            )
        return result

    # -- first calls -----------------------------------------------------------------------------------------------

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Sees which activities workflows call, in their order."""
        return type("_MockedWorkflow", (_Inbound,), {"mocks": self})

    def called(self, name: str, types: list[type] | None, count: int) -> None:
        """A workflow schedules an activity: the first time, a mock may be given to it.

        Raises:
            RuntimeError: which mock it is to be depends on which workflow comes first.
        """
        self._types.setdefault(name, types)
        if name in self._named or name in self._registered or not self._unnamed:
            return
        root = workflow.info().root
        chain = root.workflow_id if root is not None else workflow.info().workflow_id
        fitting = [one for one in self._unnamed if one.fits(types, count)]
        if not fitting:
            return
        others = set(self._given_to.values()) - {chain}
        if len(fitting) > 1 and (others or any(one.signature is not None for one in fitting)):
            why = (
                f"workflows {sorted({*others, chain})} call activities in an order that is not fixed"
                if others
                else f"{len(fitting)} mocks fit its signature"
            )
            raise RuntimeError(f"which mock stands in for activity {name!r} is ambiguous: {why}; {_CURE}")
        self._unnamed.remove(fitting[0])
        self._named[name] = fitting[0].mock
        self._given_to[name] = chain


class _Inbound(WorkflowInboundInterceptor):
    mocks: Mocks

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self.mocks))


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, mocks: Mocks) -> None:
        super().__init__(next)
        self._mocks = mocks

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._mocks.called(input.activity, input.arg_types, len(input.args))
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        self._mocks.called(input.activity, input.arg_types, len(input.args))
        return super().start_local_activity(input)


def activity_mock(target: Callable[..., Any] | str, options: Mapping[str, Any]) -> ActivityMock:
    """The mock for an activity, named or given.

    Raises:
        TypeError: a function that is no activity, or a dynamic one.
    """
    if isinstance(target, str):
        return ActivityMock(target, **options)
    name = Definition.must_from_callable(target).name
    if name is None:
        raise TypeError("a dynamic activity has no type that a mock could stand in for; name one: env.mock('name')")
    return ActivityMock(name, **options)
