"""Lists paged by key: the next page begins after the last row of this one, so that nothing shifts or is counted twice
while others write."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, TypeDecorator, literal, tuple_

Q = TypeVar("Q", bound=Select[Any])


def key(values: Sequence[Any]) -> str:
    """The address form of a row's sort values."""
    plain = [["d", v.isoformat()] if isinstance(v, datetime | date) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _values(text: str, columns: Sequence[ColumnElement[Any]]) -> list[Any] | None:
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(plain, list) or len(plain) != len(columns):
            return None
        values = [_moment(v[1]) if isinstance(v, list) else v for v in plain]
    except (ValueError, TypeError, IndexError, binascii.Error):
        return None
    return values if all(_fits(v, c) for v, c in zip(values, columns, strict=True)) else None


def _moment(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _fits(value: Any, column: ColumnElement[Any]) -> bool:
    """Whether somebody's hand-made key has a value of the column's kind: PostgreSQL refuses to compare others."""
    held = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    try:
        kind = held.python_type
    except NotImplementedError:
        return isinstance(value, str | int)
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    if kind is int:
        return type(value) is int and abs(value) < 2**31
    return type(value) is kind


def after(
    query: Q,
    order: Sequence[Any],
    text: str | None,
    limit: int,
    *,
    descending: bool = False,
) -> Q:
    """`query` in the order of `order` from just after the key `text`, with one row more than `limit` to tell whether
    there is a next page. A key that nobody gave out begins at the first page."""
    values = _values(text, order) if text else None
    if values is not None:
        mine = tuple_(*order)
        last = tuple_(*(literal(v, type_=c.type) for v, c in zip(values, order, strict=True)))
        query = query.where(mine < last if descending else mine > last)
    return query.order_by(*((c.desc() if descending else c.asc()) for c in order)).limit(limit + 1)


def row_id(text: str | None) -> int | None:
    """The row id that an address carries; None for none, and for what no row can have as its id."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def escape_like(text: str) -> str:
    """`text` for LIKE with the escape character ``\\``."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
