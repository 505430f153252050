"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any


async def paged(
    call: Callable[..., Awaitable[Any]], request: Any, items: str, *, limit: int = 0
) -> AsyncIterator[list[Any]]:
    """The pages of a list, none of them empty.

    Args:
        call: the RPC.
        request: its first request; changed.
        items: the field of the response.
        limit: end after so many items; 0 for all.
    """
    left = limit
    while True:
        response = await call(request, retry=True)
        found = list(getattr(response, items))
        if limit:
            found = found[:left]
            left -= len(found)
        if found:
            yield found
        if not response.next_page_token or (limit and not left):
            return
        request.next_page_token = response.next_page_token
