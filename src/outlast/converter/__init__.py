"""Values to payloads, exceptions to failures, and back.

Rule: the public names are those of ``temporalio.converter``, and the default bytes are the same in every Temporal SDK.
"""

from __future__ import annotations

from ._arguments import PAYLOAD_SIZE_MAX as PAYLOAD_SIZE_MAX
from ._arguments import arguments_to_payloads as arguments_to_payloads
from ._arguments import check_payload_sizes as check_payload_sizes
from ._arguments import encode_arguments as encode_arguments
from ._arguments import result_to_payloads as result_to_payloads
from ._data_converter import DataConverter, default
from ._default import DefaultPayloadConverter
from ._encodings import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    JSONProtoPayloadConverter,
)
from ._external_storage import (
    ExternalStorage,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    StorageWarning,
)
from ._failure_converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
)
from ._json import AdvancedJSONEncoder, JSONPlainPayloadConverter
from ._payload_codec import PayloadCodec
from ._payload_converter import CompositePayloadConverter, EncodingPayloadConverter, PayloadConverter
from ._payload_validation_error import create_payload_validation_error
from ._search_attributes import _decode_search_attribute_value as _decode_search_attribute_value
from ._search_attributes import _encode_maybe_typed_search_attributes as _encode_maybe_typed_search_attributes
from ._search_attributes import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_values,
    encode_search_attributes,
    encode_typed_search_attribute_value,
)
from ._serialization_context import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from ._transfer_types import TransferTypeConverter, transfer_type_convertible
from ._typed_values import JSONTypeConverter, JSONTypeConverterUnhandled, value_to_type

__all__ = [
    "ActivitySerializationContext",
    "AdvancedJSONEncoder",
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "BinaryProtoPayloadConverter",
    "CompositePayloadConverter",
    "DataConverter",
    "DefaultFailureConverter",
    "DefaultFailureConverterWithEncodedAttributes",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "ExternalStorage",
    "FailureConverter",
    "JSONPlainPayloadConverter",
    "JSONProtoPayloadConverter",
    "JSONTypeConverter",
    "JSONTypeConverterUnhandled",
    "NexusSerializationContext",
    "PayloadCodec",
    "PayloadConverter",
    "SerializationContext",
    "StorageDriver",
    "StorageDriverActivityInfo",
    "StorageDriverClaim",
    "StorageDriverRetrieveContext",
    "StorageDriverSelectContext",
    "StorageDriverStoreContext",
    "StorageDriverWorkflowInfo",
    "StorageWarning",
    "TransferTypeConverter",
    "WithSerializationContext",
    "WorkflowSerializationContext",
    "create_payload_validation_error",
    "decode_search_attributes",
    "decode_typed_search_attributes",
    "default",
    "encode_search_attribute_values",
    "encode_search_attributes",
    "encode_typed_search_attribute_value",
    "transfer_type_convertible",
    "value_to_type",
]
