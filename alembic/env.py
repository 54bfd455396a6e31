"""Runs migrations on the connection that `datastorage migrate` hands over.

Alembic's own command line (`alembic revision --autogenerate`) hands over none: DATASTORAGE_DATABASE_URL.
"""

import asyncio
import os

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, text

from datastorage.db.drift import comparison
from datastorage.db.migrations import migration_connection, wait_for_turn
from datastorage.db.url import asyncpg_url
from datastorage.models import metadata


def run(connection: Connection) -> None:
    """Applies the revisions, each in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        on_version_apply=after_step,
        **comparison(connection, metadata),
    )
    with context.begin_transaction():
        context.run_migrations()


def after_step(*, ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
    """Undoes the time-outs that a revision set for itself, and tells the caller which one was applied."""
    ctx.execute(text("RESET lock_timeout"))
    ctx.execute(text("RESET statement_timeout"))
    on_step = context.config.attributes.get("on_step")
    if on_step is not None:
        on_step(f"{step.up_revision_id} {step.up_revision.doc}")


async def run_standalone() -> None:
    """For Alembic's own command line."""
    async with migration_connection(asyncpg_url(os.environ["DATASTORAGE_DATABASE_URL"])) as connection:
        await wait_for_turn(connection)
        await connection.run_sync(run)


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_standalone())
