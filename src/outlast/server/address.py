"""Whether the server may listen at an address: asked before the database is touched, and answered in words.

gRPC only says that it failed, and not whether the port is taken or the address is another machine's.
"""

from __future__ import annotations

import errno
import socket


def check(ip: str, port: int) -> None:
    """Bind the address once, and let it go; ``port`` 0 is any free one.

    Raises:
        OSError: it cannot be bound. The message names the address, the reason and the cure.
    """
    try:
        found = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise OSError(f"{ip!r} is no address and no known name ({error.strerror}); write --ip 127.0.0.1") from error
    family, kind, protocol, _, place = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            raise OSError(error.errno, f"cannot listen at {ip}:{port}: {_reason(error, ip, port)}") from error


def _reason(error: OSError, ip: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"another program, perhaps an Outlast server, listens at port {port}; stop it or choose another --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{ip} is not an address of this machine; --ip 0.0.0.0 listens at all that are"
    if error.errno == errno.EACCES:
        return f"this user may not listen at port {port}; choose a --port from 1024 on"
    return f"{error.strerror}; choose another --ip or --port"
