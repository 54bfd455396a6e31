"""The vector engine beside PostgreSQL as the services ask it: behind a circuit breaker, and left alone while it is out.

PostgreSQL-only mode begins and ends here: an engine that failed often enough is out of use until the prober
(`second_engine_probe`) has prepared it again; meanwhile every call is refused at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum

import structlog

from datastorage.errors import CircuitOpen, EngineUnavailable
from datastorage.limits import ENGINE_FAILURES_MAX, ENGINE_OPEN_S
from datastorage.observability.metrics import FALLBACK_ACTIVE
from datastorage.resilience import CircuitBreaker, CircuitName, CircuitState
from datastorage.vector_engine import Near, Vector, VectorEngine

log = structlog.get_logger(__name__)
NOT_TRIED = "not tried yet"
FILL = "searches use PostgreSQL's index until `datastorage vectors reconcile` has filled it"


class EngineMode(StrEnum):
    """Where vectors are kept and searched."""

    SINGLE = "single"  # PostgreSQL alone, as configured
    DUAL = "dual"
    POSTGRESQL_ONLY = "postgresql_only"  # the engine is out of use


def engine_breaker() -> CircuitBreaker:
    """A breaker that gives up soon and tries again soon: PostgreSQL answers meanwhile, and trying costs little."""
    return CircuitBreaker(CircuitName.VECTOR_ENGINE, failures_max=ENGINE_FAILURES_MAX, open_s=ENGINE_OPEN_S)


class SecondEngine:
    """One engine, or none, with its state. Errors of every call: EngineUnavailable."""

    def __init__(
        self,
        engine: VectorEngine | None = None,
        breaker: CircuitBreaker | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine, self._now = engine, now
        self._breaker = breaker or engine_breaker()
        self._prepared = self._available = False
        self._complete: bool | None = None  # not counted yet
        self._told: bool | None = None  # nothing yet
        self._since = now()
        self._reason: str | None = None if engine is None else NOT_TRIED
        FALLBACK_ACTIVE.set(engine is not None)

    @property
    def configured(self) -> bool:
        """Whether vectors are to be kept in an engine beside PostgreSQL."""
        return self._engine is not None

    @property
    def available(self) -> bool:
        """Whether it is in use: configured, prepared, and not failing."""
        return self._available

    @property
    def complete(self) -> bool:
        """Whether it is in use and, when last counted, had all vectors: only then are its nearest the nearest."""
        return self._available and self._complete is True

    @property
    def mode(self) -> EngineMode:
        """Where vectors are kept and searched now."""
        if self._engine is None:
            return EngineMode.SINGLE
        return EngineMode.DUAL if self._available else EngineMode.POSTGRESQL_ONLY

    @property
    def since(self) -> datetime:
        """When the present mode began, for this process."""
        return self._since

    @property
    def reason(self) -> str | None:
        """Why it is out of use, or in use and not asked by searches; None while all is well."""
        return self._reason

    @property
    def rests(self) -> bool:
        """Whether trying it again would be refused now."""
        return self._breaker.refuses

    async def prepare(self, model: str, dimensions: int) -> None:
        """Tries it, and puts it back into use: vectors of this model have a place there afterwards."""
        with self._guarding() as engine:
            await engine.prepare(model, dimensions)
            self._prepared = True

    async def upsert(self, model: str, vectors: Mapping[bytes, Vector]) -> None:
        """Keeps these vectors."""
        with self._in_use() as engine:
            await engine.upsert(model, vectors)

    async def delete(self, model: str, hashes: Iterable[bytes]) -> None:
        """Forgets these vectors, if they are there."""
        with self._in_use() as engine:
            await engine.delete(model, hashes)

    async def nearest(self, model: str, vector: Vector, texts_max: int) -> list[Near]:
        """The nearest texts, nearest first."""
        with self._in_use() as engine:
            return await engine.nearest(model, vector, texts_max)

    async def count(self, model: str) -> int:
        """How many vectors it has."""
        with self._in_use() as engine:
            return await engine.count(model)

    async def page(self, model: str, after: bytes, texts_max: int) -> dict[bytes, Vector]:
        """Stored vectors with hashes beyond `after`, in order of their hashes; empty at the end."""
        with self._in_use() as engine:
            return await engine.page(model, after, texts_max)

    def counted(self, found: int, wanted: int) -> None:
        """What a count of its vectors means; each change is told once."""
        complete = found >= wanted
        if not self._available:
            return
        self._reason = None if complete else f"it has {found:,} of {wanted:,} vectors; {FILL}"
        if complete is not self._complete:
            self._complete = complete
            if complete:
                log.info("vector_engine_complete", vectors=found)
            else:
                log.warning("vector_engine_incomplete", vectors=found, wanted=wanted, mend=FILL)

    async def close(self) -> None:
        """Lets go of connections."""
        if self._engine is not None:
            with suppress(EngineUnavailable):
                await self._engine.close()

    @contextmanager
    def _in_use(self) -> Iterator[VectorEngine]:
        """Only the prober tries an engine that is out of use, so that nobody else waits for one."""
        if not self._available:
            raise EngineUnavailable(
                f"the vector engine is out of use: {self._reason or 'none is configured'}"
            )
        with self._guarding() as engine:
            yield engine

    @contextmanager
    def _guarding(self) -> Iterator[VectorEngine]:
        if self._engine is None:
            raise EngineUnavailable("no vector engine is configured")
        try:
            with self._breaker.guarding(EngineUnavailable):
                yield self._engine
        except CircuitOpen as error:
            raise EngineUnavailable(str(error)) from None
        except EngineUnavailable as error:
            self._look(str(error) or type(error).__name__)
            raise
        self._look()

    def _look(self, fault: str = "") -> None:
        """What the last call means for the mode; each change is told once."""
        if self._breaker.state is not CircuitState.CLOSED:
            self._prepared = False  # what comes back may have lost everything
        if not self._prepared and fault:
            self._reason = fault
        if self._prepared is not self._told:
            self._change(available=self._prepared)

    def _change(self, *, available: bool) -> None:
        was_lost = self._told is False
        self._told = self._available = available
        self._complete = None
        self._since = self._now()
        FALLBACK_ACTIVE.set(not available)
        if available:
            self._reason = None
            log.info("vector_engine_back" if was_lost else "vector_engine_ready")
        else:
            log.warning("vector_engine_lost", reason=self._reason)
