"""Rows of api_key. They belong to no namespace, so no scope; whoever may look at them runs the command line."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.api_key import ApiKey
from datastorage.domain.caller import Right
from datastorage.models import api_key as table


class ApiKeys:
    """What is known of keys."""

    def __init__(self, session: ReadSession | WriteSession) -> None:
        self._session = session

    async def by_prefix(self, prefix: str) -> ApiKey | None:
        """The key that begins so."""
        row = (await self._session.execute(select(table).where(table.c.prefix == prefix))).one_or_none()
        return None if row is None else _api_key(row)

    async def all(self) -> list[ApiKey]:
        """Every key, by name and age."""
        rows = await self._session.execute(select(table).order_by(table.c.name, table.c.id))
        return [_api_key(row) for row in rows]

    async def usable(self, name: str, now: datetime) -> list[ApiKey]:
        """The keys of this name that open something."""
        return [key for key in await self.all() if key.name == name and key.usable(now)]


class ApiKeysWriter(ApiKeys):
    """The same in a transaction that may write."""

    def __init__(self, session: WriteSession) -> None:
        super().__init__(session)

    async def add(self, **values: Any) -> ApiKey:
        """Stores a key; the database adds number and time."""
        return _api_key((await self._session.execute(insert(table).values(values).returning(table))).one())

    async def end(self, ids: Collection[int], at: datetime) -> None:
        """Has keys expire, no later than they did already."""
        earlier = func.least(func.coalesce(table.c.expires_at, at), at)
        await self._session.execute(update(table).where(table.c.id.in_(ids)).values(expires_at=earlier))

    async def revoke(self, ids: Collection[int]) -> None:
        """Ends keys for good."""
        await self._session.execute(
            update(table).where(table.c.id.in_(ids)).values(revoked_at=func.clock_timestamp())
        )

    async def touch(self, ids: Collection[int], at: datetime) -> None:
        """Notes that keys were used."""
        older = or_(table.c.last_used_at.is_(None), table.c.last_used_at < at)
        await self._session.execute(
            update(table).where(table.c.id.in_(sorted(ids)), older).values(last_used_at=at)
        )


def _api_key(row: Row[Any]) -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for it
    for name in ("rights", "namespaces", "clusters"):
        values[name] = None if values[name] is None else tuple(values[name])
    if values["rights"] is not None:
        values["rights"] = tuple(Right(right) for right in values["rights"])
    return ApiKey(**values)
