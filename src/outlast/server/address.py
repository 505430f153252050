"""Whether the server may listen at an address: asked before the database is touched, and answered in words.

gRPC only says that it failed, and not whether the port is taken or the address is another machine's.
"""

from __future__ import annotations

import errno
import socket
from typing import Final

_BACKLOG: Final = 2048
"""Connections that may wait to be accepted."""


def check(ip: str, port: int, option: str = "--port") -> None:
    """Bind the address once, and let it go; ``port`` 0 is any free one.

    Args:
        option: what chooses the port.

    Raises:
        OSError: it cannot be bound. The message names the address, the reason and the cure.
    """
    _bound(ip, port, option).close()


def listen(ip: str, port: int, option: str) -> socket.socket:
    """A socket that listens at the address. Arguments and errors as of ``check``."""
    bound = _bound(ip, port, option)
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen at {ip}:{port}: {_reason(error, ip, port, option)}") from error
    bound.setblocking(False)
    return bound


def _bound(ip: str, port: int, option: str) -> socket.socket:
    try:
        found = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise OSError(f"{ip!r} is no address and no known name ({error.strerror}); write --ip 127.0.0.1") from error
    family, kind, protocol, _, place = found[0]
    probe = socket.socket(family, kind, protocol)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(place)
    except OSError as error:
        probe.close()
        raise OSError(error.errno, f"cannot listen at {ip}:{port}: {_reason(error, ip, port, option)}") from error
    return probe


def _reason(error: OSError, ip: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"another program, perhaps an Outlast server, listens at port {port}; stop it or choose another {option}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{ip} is not an address of this machine; --ip 0.0.0.0 listens at all that are"
    if error.errno == errno.EACCES:
        return f"this user may not listen at port {port}; choose a {option} from 1024 on"
    return f"{error.strerror}; choose another --ip or {option}"
