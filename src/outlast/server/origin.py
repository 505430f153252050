"""Who may talk to the HTTP door: requests for another host's name, and those of other sites' pages, are refused.

A page of any site can make the browser of a developer send requests to a server on the developer's own machine. It can
even read the answers when its name is made to resolve to 127.0.0.1 (DNS rebinding); then the browser sends that name as
the Host. So the name has to be one of ours, and what a page sends has to come from our own page. A link from elsewhere
to a page of the UI is fine: that is a navigation.

Source: https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site; https://web.dev/articles/fetch-metadata.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from outlast.vocab.errors import PermissionDenied

from . import json_form
from .gateway import respond

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Hosts:
    """The host names that the door answers to.

    Args:
        ip: the address that is listened at; one that stands for all of the machine lets in every address, but no name.
        names: further names, such as that of a proxy.
        cure: what allows a further name.
    """

    def __init__(self, ip: str, names: Iterable[str] = (), *, cure: str = "--ui-host") -> None:
        self.cure = cure
        self._added = frozenset(name.lower() for name in names)
        self._names = _LOOPBACK | self._added | {ip.lower()}
        self._any_address = ip in ("0.0.0.0", "::", "")

    def __contains__(self, host: str) -> bool:
        """Whether a Host header, with or without a port, is one of ours."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._names or name.endswith(".localhost"):
            return True
        return self._any_address and _is_address(name)

    def added(self, host: str) -> bool:
        """Whether this is one of the further names: pages of theirs are ours, also where a proxy changes the Host."""
        return urlsplit(f"//{host}").hostname in self._added


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class OriginGuard:
    """Lets through what comes from our own pages, from programs, and by links; answers 403 to the rest."""

    def __init__(self, app: ASGIApp, hosts: Hosts | None) -> None:
        """``hosts`` None leaves the Host header to the application that this one is mounted in."""
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request."""
        fault = self._fault(scope["method"], Headers(scope=scope)) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        error = PermissionDenied(fault)
        await respond(send, error.http_status, json_form.to_json(error.to_status()))

    def _fault(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if self._hosts is not None and host not in self._hosts:
            return (
                f"the Host header is {host!r}, which is no name of this server: refused, because a foreign page may "
                "have sent it (DNS rebinding). Use localhost or the address listened at, or allow the name: "
                f"{self._hosts.cure}"
            )
        site = headers.get("sec-fetch-site", "none")
        navigates = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if not navigates and (site == "cross-site" or (site == "same-site" and method not in _SAFE)):
            return "a page of another site sent this request (Sec-Fetch-Site); only the server's own pages may"
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin, host):
            return f"a page of {origin!r} sent this request (Origin), which is not {host}; only the server's own may"
        return None

    def _is_ours(self, origin: str, host: str) -> bool:
        try:
            place = urlsplit(origin).netloc.lower()
            return place == host.lower() or (self._hosts is not None and self._hosts.added(place))
        except ValueError:
            return False
