"""Memo and search attributes: what the workflow changes about itself for others to see.

Rule: a change is visible to the code at once and is one command. The current search attributes go along when the run
continues as new.

Source: temporalio ``workflow_upsert_memo`` and ``workflow_upsert_search_attributes``.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import outlast.api.enums.v1 as e
from outlast.api.command.v1 import (
    Command,
    ModifyWorkflowPropertiesCommandAttributes,
    UpsertWorkflowSearchAttributesCommandAttributes,
)
from outlast.api.common.v1 import Payload, SearchAttributes
from outlast.api.sdk.v1 import EventGroupMarker
from outlast.common import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    _arg_unset,
)
from outlast.converter import encode_search_attribute_values, encode_typed_search_attribute_value

from .machine import Recorded

if TYPE_CHECKING:
    from .context import RunContext


class Properties:
    """Memo and search attributes of one run."""

    __slots__ = ("_context", "_memo")

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._memo: dict[str, Any] | None = None

    # -- memo -----------------------------------------------------------------------------------------------------

    def memo(self) -> Mapping[str, Any]:
        """All values, decoded without hints."""
        if self._memo is None:
            converter = self._context.converters.payload
            self._memo = {key: converter.from_payload(value) for key, value in self._context.info.raw_memo.items()}
        return self._memo

    def memo_value(self, key: str, default: Any, type_hint: type | None) -> Any:
        """One value.

        Raises:
            KeyError: it is not there, and there is no default.
        """
        payload = self._context.info.raw_memo.get(key)
        if payload is not None:
            return self._context.converters.payload.from_payload(payload, type_hint)  # type: ignore[arg-type]
        if default is _arg_unset:
            raise KeyError(f"Memo does not have a value for key {key}")
        return default

    def upsert_memo(self, updates: Mapping[str, Any], markers: Sequence[EventGroupMarker]) -> None:
        """Set values, remove those that are None."""
        self._context.require_writable("upsert memo")
        if not updates:
            return
        converter = self._context.converters.payload
        encoded = {key: converter.to_payload(value) for key, value in updates.items()}
        attributes = ModifyWorkflowPropertiesCommandAttributes()
        raw = cast(MutableMapping[str, Payload], self._context.info.raw_memo)
        for key, payload in encoded.items():
            attributes.upserted_memo.fields[key].CopyFrom(payload)
            if updates[key] is None:
                raw.pop(key, None)
            else:
                raw[key] = payload
        self._memo = None
        command = Command(
            command_type=e.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
            event_group_markers=markers,
            modify_workflow_properties_command_attributes=attributes,
        )
        event_type = e.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED
        self._context.ledger.issue(command, event_type, Recorded(event_type, "upserting the memo"))

    # -- search attributes ----------------------------------------------------------------------------------------

    def upsert_search_attributes(self, attributes: Any, markers: Sequence[EventGroupMarker]) -> None:
        """Set and unset search attributes, given typed or as the old mapping."""
        context = self._context
        context.require_writable("upsert search attributes")
        if isinstance(attributes, Mapping):
            encoded = {key: encode_search_attribute_values(values) for key, values in attributes.items()}
            changes = [_Change.of_untyped(key, values) for key, values in attributes.items()]
        else:
            encoded = {one.key.name: encode_typed_search_attribute_value(one.key, one.value) for one in attributes}
            changes = [_Change.of_typed(one) for one in attributes]
        for change in changes:
            self._apply(change)
        context.search_attributes.update(encoded)
        command = Command(
            command_type=e.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
            event_group_markers=markers,
            upsert_workflow_search_attributes_command_attributes=UpsertWorkflowSearchAttributesCommandAttributes(
                search_attributes=SearchAttributes(indexed_fields=encoded)
            ),
        )
        event_type = e.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
        context.ledger.issue(command, event_type, Recorded(event_type, "upserting search attributes"))

    def _apply(self, change: _Change) -> None:
        """Show a change in ``workflow.info()``, whose collections are made mutable for this."""
        info = self._context.info
        cast(MutableMapping[str, Any], info.search_attributes)[change.name] = change.untyped
        typed = cast(list[SearchAttributePair[Any]], info.typed_search_attributes.search_attributes)
        index = next((at for at, pair in enumerate(typed) if pair.key.name == change.name), None)
        if change.remove:
            if index is not None:
                del typed[index]
        elif change.pair is not None:
            if index is None:
                typed.append(change.pair)
            else:
                typed[index] = change.pair


class _Change:
    """One search attribute as both views of it have to show it."""

    __slots__ = ("name", "pair", "remove", "untyped")

    def __init__(self, name: str, untyped: Any, pair: SearchAttributePair[Any] | None, remove: bool) -> None:
        self.name, self.untyped, self.pair, self.remove = name, untyped, pair, remove

    @classmethod
    def of_typed(cls, update: SearchAttributeUpdate[Any]) -> _Change:
        if update.value is None:
            return cls(update.key.name, [], None, True)
        many = update.key.indexed_value_type == SearchAttributeIndexedValueType.KEYWORD_LIST
        untyped = list(update.value) if many else [update.value]
        return cls(update.key.name, untyped, SearchAttributePair(update.key, update.value), False)

    @classmethod
    def of_untyped(cls, name: str, values: Any) -> _Change:
        if not values:
            return cls(name, values, None, True)
        key = SearchAttributeKey._guess_from_untyped_values(name, values)
        if key is None:
            return cls(name, values, None, False)
        if key.indexed_value_type == SearchAttributeIndexedValueType.KEYWORD_LIST:
            return cls(name, values, SearchAttributePair(key, values), False)
        if len(values) != 1:
            return cls(name, values, None, False)
        return cls(name, values, SearchAttributePair(key, values[0]), False)
