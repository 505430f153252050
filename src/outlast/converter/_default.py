"""The chain of converters that every Temporal SDK uses by default, in the order they agree on."""

from __future__ import annotations

from ._encodings import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    JSONProtoPayloadConverter,
)
from ._json import JSONPlainPayloadConverter
from ._payload_converter import CompositePayloadConverter, EncodingPayloadConverter


class DefaultPayloadConverter(CompositePayloadConverter):
    """None, bytes, protobuf messages, and whatever JSON can hold."""

    default_encoding_payload_converters: tuple[EncodingPayloadConverter, ...] = (
        BinaryNullPayloadConverter(),
        BinaryPlainPayloadConverter(),
        JSONProtoPayloadConverter(),
        BinaryProtoPayloadConverter(),
        JSONPlainPayloadConverter(),  # takes everything, so it comes last
    )
    """The links of the chain; build on them to add your own."""

    def __init__(self) -> None:
        """The chain as it is."""
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters)
