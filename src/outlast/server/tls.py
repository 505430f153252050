"""Certificates of the doors: gRPC and HTTP show the same one, and may ask callers for theirs.

They are read when the server starts; who renews them restarts it. TLS begins at 1.2 at both doors.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of PEM: the server's certificate with what leads to its root, its key, and whose certificates callers need.

    Without ``client_ca`` callers need none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


def check(tls: Tls) -> None:
    """Whether a server can be run with these files.

    Raises:
        OSError: one cannot be read, or is not what it has to be. The message names the option, the file and the reason.
    """
    files = (("--tls-cert", tls.certificate), ("--tls-key", tls.key), ("--tls-client-ca", tls.client_ca))
    for option, path in files:
        if path is not None:
            _read(option, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_refuse_password)
    except _Encrypted as error:
        raise OSError(
            f"--tls-key {tls.key} is encrypted; give a key without a password, readable by you alone"
        ) from error
    except ssl.SSLError as error:
        raise OSError(
            f"--tls-cert {tls.certificate} and --tls-key {tls.key} are no pair of a certificate and its key in PEM "
            f"({error.reason or error})"
        ) from error
    if tls.client_ca is not None:
        try:
            context.load_verify_locations(tls.client_ca)
        except ssl.SSLError as error:
            raise OSError(
                f"--tls-client-ca {tls.client_ca} has no certificate in PEM ({error.reason or error})"
            ) from error


def for_grpc(tls: Tls) -> grpc.ServerCredentials:
    """The same for gRPC."""
    client_ca = None if tls.client_ca is None else tls.client_ca.read_bytes()
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    return grpc.ssl_server_credentials([pair], root_certificates=client_ca, require_client_auth=client_ca is not None)


class _Encrypted(Exception):
    """A key asks for its password."""


def _refuse_password() -> str:
    raise _Encrypted


def _read(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OSError(f"{option} {path} cannot be read: {error.strerror}") from error
