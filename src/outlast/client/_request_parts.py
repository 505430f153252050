"""Parts of requests that do not depend on what is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from outlast.api.common.v1 import Header, Payload
from outlast.common import HeaderCodecBehavior

if TYPE_CHECKING:
    from ._client import Client


def request_id() -> str:
    """A random UUID of version 4, in a quarter of the time that ``uuid`` takes to print one."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


async def encode_header(client: Client, headers: Mapping[str, Payload]) -> Header:
    """Headers as a message; through the codec only when the client was told so."""
    codec = client.data_converter.payload_codec
    if codec is not None and client._config["header_codec_behavior"] == HeaderCodecBehavior.CODEC:
        headers = {name: (await codec.encode([payload]))[0] for name, payload in headers.items()}
    return Header(fields=headers)
