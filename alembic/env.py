"""Runs migrations: on the connection that `datastorage migrate` hands over, or, for Alembic's own command
line (`alembic revision --autogenerate`), on DATASTORAGE_DATABASE_URL."""

import asyncio
import os
import time

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from alembic import context
from datastorage.db.migrations import include_name
from datastorage.db.url import asyncpg_url
from datastorage.models import metadata

MIGRATION_LOCK = 7_241_946_001  # any number that only this product uses


def run(connection: Connection) -> None:
    """Applies the revisions, each in its own transaction, one process at a time."""
    wait_for_turn(connection)
    try:
        connection.execute(text("SET lock_timeout = '5s'"))  # DDL must not queue behind a long reader
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_name=include_name,
            transaction_per_migration=True,
            on_version_apply=report,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


def wait_for_turn(connection: Connection) -> None:
    """Polls for the lock: a session that blocks on it would be waited for by CREATE INDEX CONCURRENTLY."""
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATION_LOCK}):
        connection.commit()
        time.sleep(0.2)
    connection.commit()


def report(*, step, **_):
    """Tells the caller which revision was applied."""
    on_step = context.config.attributes.get("on_step")
    if on_step is not None:
        on_step(f"{step.up_revision_id} {step.up_revision.doc}")


async def run_standalone() -> None:
    """For Alembic's own command line."""
    engine = create_async_engine(asyncpg_url(os.environ["DATASTORAGE_DATABASE_URL"]))
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_standalone())
