"""A database's schema, moved and looked at past the service's own ways."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import URL

from datastorage.db import migrations
from support.postgres import administrator


async def execute(url: URL, statement: str, *arguments: object) -> Any:
    """One statement; the first value of its result."""
    async with administrator(url) as connection:
        return await connection.fetchval(statement, *arguments)


async def move(url: URL, to: Callable[..., None], revision: str) -> None:
    """To a revision, as Alembic's own commands do it."""
    async with migrations.migration_connection(url) as connection:
        await connection.run_sync(lambda sync: to(migrations._config(sync, lambda _: None), revision))
