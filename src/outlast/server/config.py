"""What a server process is told at its start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .tls import Tls


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """``database`` is None for a store in memory; ``port`` 0 takes a free one.

    ``ui_port`` is where HTTP is served, the JSON API and the web UI; None for nowhere. Where it is taken the server
    goes on without, unless it was asked for (``ui_port_chosen``): two servers on one machine may both leave it to the
    default. ``ui_hosts`` are names, beside those of this machine, under which HTTP is reached.
    ``ui_codec_endpoint`` is the codec server that browsers decode payloads with; "" for none.

    ``search_attributes`` are added to every namespace at the start. ``skips_time`` is for tests: the clock jumps.

    ``tls`` None speaks in the clear, no ``api_keys`` let everybody in, ``namespace_rps`` 0 is no limit of calls.
    """

    database: Path | None
    ip: str = "127.0.0.1"
    port: int = 7233
    namespaces: tuple[str, ...] = ("default",)
    search_attributes: Mapping[str, int] = field(default_factory=dict)
    skips_time: bool = False
    grace_s: float = 5.0
    ui_port: int | None = None
    ui_port_chosen: bool = False
    ui_hosts: tuple[str, ...] = ()
    ui_codec_endpoint: str = ""
    tls: Tls | None = None
    api_keys: tuple[str, ...] = ()
    namespace_rps: float = 0

    @property
    def address(self) -> str:
        """The address as gRPC writes it."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{host}:{self.port}"


def codec_origin(endpoint: str) -> str:
    """Scheme, host and port of the URL of a codec server.

    Raises:
        ValueError: it is no http or https URL.
    """
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not re.fullmatch(r"[\w.\-:\[\]]+", url.netloc):
        raise ValueError(f"the codec endpoint {endpoint!r} is no URL; write http://host:port or https://host/path")
    return f"{url.scheme}://{url.netloc}"
