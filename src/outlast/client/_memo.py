"""The memo of what a list or a description shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

from outlast.api.common.v1 import Memo
from outlast.common import _arg_unset
from outlast.converter import DataConverter
from outlast.types import AnyType, ParamType


class _WithMemo:
    """Reads the memo; whoever has one says where it is."""

    data_converter: DataConverter

    @property
    def _memo(self) -> Memo:
        raise NotImplementedError

    async def memo(self) -> Mapping[str, Any]:
        """The whole memo, without type hints."""
        return await self.data_converter._decode_memo(self._memo)

    @overload
    async def memo_value(self, key: str, default: Any = _arg_unset) -> Any: ...

    @overload
    async def memo_value(self, key: str, *, type_hint: type[ParamType]) -> ParamType: ...

    @overload
    async def memo_value(self, key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...

    async def memo_value(self, key: str, default: Any = _arg_unset, *, type_hint: type | None = None) -> Any:
        """One value of the memo.

        Args:
            key: its name.
            default: returned when it is not there.
            type_hint: what to convert it to.

        Raises:
            KeyError: it is not there and no default was given.
        """
        return await self.data_converter._decode_memo_field(self._memo, key, default, type_hint)
