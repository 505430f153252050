"""Lists that are fetched page by page, as they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from ._client import Client

_Row = TypeVar("_Row")


class _ListInput(Protocol):
    """What every list is asked with."""

    query: str | None
    page_size: int
    next_page_token: bytes | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


_Input = TypeVar("_Input", bound=_ListInput)


class _Pages(ABC, Generic[_Row, _Input]):
    """Rows for ``async for``. Subclasses fetch one page."""

    def __init__(self, client: Client, input: _Input) -> None:
        """Made by the list methods of ``Client``."""
        self._client = client
        self._input = input
        self._next_page_token = input.next_page_token
        self._current_page: Sequence[_Row] | None = None
        self._current_page_index = 0
        self._limit: int | None = getattr(input, "limit", None)  # not every list has one
        self._yielded = 0

    @property
    def current_page_index(self) -> int:
        """Position in the page of the execution that comes next."""
        return self._current_page_index

    @property
    def current_page(self) -> Sequence[_Row] | None:
        """The page fetched last; None before the first."""
        return self._current_page

    @property
    def next_page_token(self) -> bytes | None:
        """Token of the page after this one; None when there is none."""
        return self._next_page_token

    @abstractmethod
    async def _fetch(self, size: int, token: bytes) -> tuple[Sequence[_Row], bytes]:
        """A page of ``size`` rows at most, and the token of the next one, empty when there is none."""

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch a page, of this many executions at most."""
        size = page_size or self._input.page_size
        if self._limit is not None:
            size = min(size, self._limit - self._yielded)
        self._current_page, token = await self._fetch(size, self._next_page_token or b"")
        self._current_page_index = 0
        self._next_page_token = token or None

    def __aiter__(self) -> Self:
        """This iterator."""
        return self

    async def __anext__(self) -> _Row:
        """The next execution; fetches a page when this one is used up."""
        if self._limit is not None and self._yielded >= self._limit:
            raise StopAsyncIteration
        while self._current_page is None or self._current_page_index >= len(self._current_page):
            if self._current_page is not None and self._next_page_token is None:
                raise StopAsyncIteration
            await self.fetch_next_page()
        execution = self._current_page[self._current_page_index]
        self._current_page_index += 1
        self._yielded += 1
        return execution
