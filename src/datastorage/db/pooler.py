"""What differs on the way to PostgreSQL when a pooler hands a session to somebody else after each transaction.

Nothing may be left in the session: no prepared statements, no settings, no locks. Statements are sent unnamed, read
anew each time; how long one may take is watched by the driver, which asks the server to cancel it.
"""

from __future__ import annotations

from typing import Any

from datastorage import __version__
from datastorage.errors import StartupError
from datastorage.limits import STATEMENTS_PREPARED_MAX
from datastorage.settings import Pooler

UNNAMED = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}
"""For connections of SQLAlchemy's."""


def statement_arguments(pooler: Pooler) -> dict[str, Any]:
    """How SQLAlchemy's connections prepare statements."""
    return UNNAMED if pooler is Pooler.TRANSACTION else {}


def row_arguments(pooler: Pooler) -> dict[str, Any]:
    """The same for asyncpg's own."""
    kept = 0 if pooler is Pooler.TRANSACTION else STATEMENTS_PREPARED_MAX
    return {"statement_cache_size": kept, "max_cached_statement_lifetime": 0}


def session_arguments(pooler: Pooler, statement_timeout_s: float) -> dict[str, Any]:
    """What a session is told when it begins; a pooler takes no more than these two, and gives them to each client."""
    settings = {"application_name": f"datastorage {__version__}", "timezone": "UTC"}
    if pooler is Pooler.TRANSACTION:
        return {"server_settings": settings, "command_timeout": statement_timeout_s}
    own = {
        "statement_timeout": str(int(statement_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": str(int(statement_timeout_s * 2000)),
        "jit": "off",  # our statements take milliseconds; compiling them takes longer
    }
    return {"server_settings": settings | own}


def refuse_pooler(pooler: Pooler, what: str) -> None:
    """For what needs a session of its own. Errors: StartupError."""
    if pooler is Pooler.TRANSACTION:
        raise StartupError(
            f"{what} needs a session of its own: name PostgreSQL itself in DATASTORAGE_DATABASE_URL, with "
            "DATASTORAGE_DATABASE_POOLER=none"
        )
