"""What a session of searches is told first: how far the index looks, and how statements are planned."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from datastorage.db.database import ReadSession
from datastorage.limits import HNSW_EF_SEARCH, HNSW_SCAN_TUPLES_MAX

_SETTINGS: Final = {
    "hnsw.ef_search": HNSW_EF_SEARCH,
    "hnsw.iterative_scan": "strict_order",
    "hnsw.max_scan_tuples": HNSW_SCAN_TUPLES_MAX,
    # A plan for any parameters knows nothing of the filter, and reads the vectors of a question once per row.
    "plan_cache_mode": "force_custom_plan",
    # Small results: a second process costs more than it saves, and takes it from others.
    "max_parallel_workers_per_gather": 0,
}
_PREPARE: Final = select(
    *(func.set_config(name, str(value), True) for name, value in _SETTINGS.items())  # noqa: FBT003 -- local
)


async def prepare_for_search(session: ReadSession) -> None:
    """For the rest of the session's transaction, so it must be a snapshot."""
    await session.execute(_PREPARE)
