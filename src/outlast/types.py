"""Type variables and callable protocols for the signatures of the SDK; nothing here exists at run time but names.

Rule: names as in ``temporalio.types``. "Method" protocols take the workflow instance first, "Callable" ones do not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol, TypeVar

AnyType = TypeVar("AnyType")
ClassType = TypeVar("ClassType", bound=type)
SelfType = TypeVar("SelfType")
ParamType = TypeVar("ParamType")
ReturnType = TypeVar("ReturnType", covariant=True)
LocalReturnType = TypeVar("LocalReturnType", covariant=True)
NexusServiceType = TypeVar("NexusServiceType")
CallableType = TypeVar("CallableType", bound=Callable[..., Any])
CallableAsyncType = TypeVar("CallableAsyncType", bound=Callable[..., Awaitable[Any]])
CallableSyncOrAsyncType = TypeVar("CallableSyncOrAsyncType", bound=Callable[..., Any | Awaitable[Any]])
CallableSyncOrAsyncReturnNoneType = TypeVar(
    "CallableSyncOrAsyncReturnNoneType", bound=Callable[..., Awaitable[None] | None]
)
MultiParamSpec = ParamSpec("MultiParamSpec")

ProtocolParamType = TypeVar("ProtocolParamType", contravariant=True)
ProtocolReturnType = TypeVar("ProtocolReturnType", covariant=True)
ProtocolSelfType = TypeVar("ProtocolSelfType", contravariant=True)


class CallableAsyncNoParam(Protocol[ProtocolReturnType]):
    """``async def f() -> R``."""

    def __call__(self) -> Awaitable[ProtocolReturnType]: ...


class CallableSyncNoParam(Protocol[ProtocolReturnType]):
    """``def f() -> R``."""

    def __call__(self) -> ProtocolReturnType: ...


class CallableAsyncSingleParam(Protocol[ProtocolParamType, ProtocolReturnType]):
    """``async def f(arg: P) -> R``."""

    def __call__(self, __arg: ProtocolParamType) -> Awaitable[ProtocolReturnType]: ...


class CallableSyncSingleParam(Protocol[ProtocolParamType, ProtocolReturnType]):
    """``def f(arg: P) -> R``."""

    def __call__(self, __arg: ProtocolParamType) -> ProtocolReturnType: ...


class MethodAsyncNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """``async def m(self) -> R``."""

    def __call__(self, __self: ProtocolSelfType) -> Awaitable[ProtocolReturnType]: ...


class MethodSyncNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """``def m(self) -> R``."""

    def __call__(self, __self: ProtocolSelfType) -> ProtocolReturnType: ...


class MethodAsyncSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """``async def m(self, arg: P) -> R``."""

    def __call__(self, __self: ProtocolSelfType, __arg: ProtocolParamType, /) -> Awaitable[ProtocolReturnType]: ...


class MethodSyncSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """``def m(self, arg: P) -> R``."""

    def __call__(self, __self: ProtocolSelfType, __arg: ProtocolParamType, /) -> ProtocolReturnType: ...


class MethodSyncOrAsyncNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """``def m(self) -> R``, async or not."""

    def __call__(self, __self: ProtocolSelfType) -> ProtocolReturnType | Awaitable[ProtocolReturnType]: ...


class MethodSyncOrAsyncSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """``def m(self, arg: P) -> R``, async or not."""

    def __call__(
        self, __self: ProtocolSelfType, __param: ProtocolParamType, /
    ) -> ProtocolReturnType | Awaitable[ProtocolReturnType]: ...
