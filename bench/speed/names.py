"""What the peers are called."""

from __future__ import annotations

from typing import Final

SERVICE: Final = "datastorage"
POSTGRAPHILE: Final = "PostGraphile 5"
STRAWBERRY: Final = "plain Strawberry"
FLOOR: Final = "asyncpg + orjson"
PGBENCH: Final = "pgbench"
PEERS: Final = (SERVICE, POSTGRAPHILE, STRAWBERRY, FLOOR, PGBENCH)
