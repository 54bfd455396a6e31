"""Operations that only read: by the replica, if there is one in use, and by the primary if that fails them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from datastorage.db.database import Database
from datastorage.db.replica import reads_may_lag
from datastorage.graphql.compiled.execution import Result

_UNAVAILABLE: Final = "UNAVAILABLE"


async def read(database: Database, execute: Callable[[], Awaitable[Result]]) -> Result:
    """The result; nobody notices that a replica died, or cancelled a statement to go on replaying."""
    replica = database.replica
    if replica is None:
        return await execute()
    with reads_may_lag() as reads:
        result = await execute()
    if not (reads.used and _was_unavailable(result)):
        return result
    replica.lost("a query failed there")
    return await execute()


def _was_unavailable(result: Result) -> bool:
    return any((error.extensions or {}).get("code") == _UNAVAILABLE for error in result.errors or ())
