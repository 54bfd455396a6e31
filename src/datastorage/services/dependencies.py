"""What the services work with; built once per process by the composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from datastorage.db.database import Database
from datastorage.domain.analysis import RootCause
from datastorage.limits import BATCH_ROWS_MAX
from datastorage.redaction import Redactor
from datastorage.repositories.identifiers import Identifiers
from datastorage.services.access.trail import AccessTrail
from datastorage.services.embedder import Embedder
from datastorage.services.gathering import Gathering
from datastorage.services.mirroring.deliveries import Deliveries
from datastorage.services.second_engine import SecondEngine
from datastorage.services.term_statistics import TermStatisticsCache
from datastorage.services.vector_index_state import IndexState
from datastorage.services.write_queue import WriteQueue


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts behind every service call."""

    database: Database
    embedder: Embedder
    redactor: Redactor
    ids: Mapping[str, Identifiers]  # by the type name of the kind
    root_causes: Gathering[str, list[RootCause]]  # what analyses found, by request id
    writes: WriteQueue = field(default_factory=WriteQueue)
    terms: TermStatisticsCache = field(default_factory=TermStatisticsCache)
    index: IndexState = field(default_factory=IndexState)
    second: SecondEngine = field(default_factory=SecondEngine)
    deliveries: Deliveries = field(default_factory=Deliveries)
    trail: AccessTrail = field(default_factory=AccessTrail)
    # Set by a write that stored a text without its vector.
    left_over: asyncio.Event = field(default_factory=asyncio.Event)
    batch_rows_max: int = BATCH_ROWS_MAX  # that one mutation may write
