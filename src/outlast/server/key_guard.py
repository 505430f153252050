"""API keys before the HTTP door: pages, files and metrics want one as calls do, so that a browser asks its user."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from . import json_form
from .api_keys import ApiKeys
from .gateway import raw_path, respond

_OPEN_PATHS: Final = frozenset({"/healthz"})
_CHALLENGE: Final = {"www-authenticate": 'Basic realm="Outlast", charset="UTF-8"'}


class KeyGuard:
    """Lets through who brings a key, and those who ask for health; answers 401 to the rest."""

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        fault = None
        if scope["type"] == "http" and raw_path(scope) not in _OPEN_PATHS:
            fault = self._keys.fault(Headers(scope=scope).get("authorization", ""))
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await respond(send, fault.http_status, json_form.to_json(fault.to_status()), _CHALLENGE)
