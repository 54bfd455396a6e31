"""Every metric of the service, declared once. Label values come from the enums of `labels` only.

Children are bound at import, and what is measured with each request is tallied (see `tallies`): a query pays less than
a microsecond for all of it. A test sums the label sets. Gauges name how they add up over several worker processes.
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from datastorage.errors import FaultReason
from datastorage.observability.labels import (
    AuthenticationFailure,
    CircuitName,
    CircuitState,
    CutOff,
    DocumentLookup,
    DualWriteFailure,
    EmbeddingOutcome,
    Executor,
    FaultField,
    OutboxEntry,
    Pool,
    QueryOperation,
    RejectedCode,
    Sanitization,
    Status,
    Table,
    ThrottledBy,
)
from datastorage.observability.tallies import Count, Durations, Level

disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the series and tell nothing

SECONDS_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
EMBEDDING_BUCKETS: Final = (0.0001, 0.0005, *SECONDS_BUCKETS)

WRITES = Counter("datastorage_write_total", "Writes by table and outcome.", ["table", "status"])
WRITE_SECONDS = Histogram(
    "datastorage_write_duration_seconds", "Duration of a write.", ["table"], buckets=SECONDS_BUCKETS
)
WRITE_GROUP_UNITS = Histogram(
    "datastorage_write_group_units",
    "Units of work written in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)
WRITE_QUEUE_UNITS = Gauge(
    "datastorage_write_queue_units", "Units of work that wait for their turn.", multiprocess_mode="livesum"
)
DUALWRITE_SUCCESS = Counter(
    "datastorage_dualwrite_success_total", "Units of work committed with all their parts."
)
DUALWRITE_FAILURE = Counter(
    "datastorage_dualwrite_failure_total", "Units of work that failed, by reason.", ["reason"]
)
FALLBACK = Counter(
    "datastorage_fallback_mode_total", "Operations served by PostgreSQL alone while the engine was down."
)
CACHE_HITS = Counter("datastorage_cache_hits_total", "Embeddings found without asking the provider.")
CACHE_MISSES = Counter("datastorage_cache_misses_total", "Embeddings that the provider had to compute.")
EMBEDDING_SECONDS = Histogram(
    "datastorage_embedding_generation_duration_seconds",
    "Duration of one embedding by the provider.",
    buckets=EMBEDDING_BUCKETS,
)
EMBEDDING_REQUESTS = Counter(
    "datastorage_embedding_requests_total", "Calls of the embedding provider by outcome.", ["outcome"]
)
EMBEDDING_BACKLOG = Gauge(
    "datastorage_embedding_backlog",
    "Texts that wait for their vector.",
    multiprocess_mode="livemostrecent",
)
EMBEDDING_PARKED = Gauge(
    "datastorage_embedding_parked",
    "Texts that the provider refuses, so that they have no vector.",
    multiprocess_mode="livemostrecent",
)
EMBEDDING_BACKFILLED = Counter(
    "datastorage_embedding_backfilled_total", "Vectors stored after the record they belong to."
)
EMBEDDING_BACKFILL_FAILURES = Counter(
    "datastorage_embedding_backfill_failures_total",
    "Texts that a backfill could get no vector for this time.",
)
OUTBOX_DEPTH = Gauge(
    "datastorage_outbox_depth",
    "Outbox entries that wait, by what for; given up ones aside.",
    ["kind"],
    multiprocess_mode="livemostrecent",
)
OUTBOX_AGE = Gauge(
    "datastorage_outbox_oldest_age_seconds",
    "Age of the oldest outbox entry that waits; 0 without any.",
    ["kind"],
    multiprocess_mode="livemostrecent",
)
CACHE_FAULTS = Counter("datastorage_cache_faults_total", "Cache calls that failed, and were done without.")
CIRCUIT_STATE = Gauge(
    "datastorage_circuit_breaker_state",
    "1 for the state that the breaker of a dependency is in; with several workers, of any of them.",
    ["name", "state"],
    multiprocess_mode="livemax",
)
VALIDATION_FAILURES = Counter(
    "datastorage_validation_failures_total", "Refused fields by field and reason.", ["field", "reason"]
)
QUERIES = Counter("datastorage_query_total", "Queries by kind and outcome.", ["operation", "status"])
QUERY_SECONDS = Histogram(
    "datastorage_query_duration_seconds", "Duration of a query.", ["operation"], buckets=SECONDS_BUCKETS
)

EXECUTIONS = Counter("datastorage_execution_total", "Operations by who executed them.", ["executor"])

AUTHENTICATION_FAILURES = Counter(
    "datastorage_authentication_failures_total", "Requests that were not let in, by why.", ["reason"]
)
THROTTLED = Counter("datastorage_throttled_total", "Requests that met a limit, by which.", ["limit"])
RATE_LIMIT_FALLBACKS = Counter(
    "datastorage_rate_limit_fallback_total",
    "Requests that a process charged by itself, because Redis did not answer.",
)
DOCUMENT_LOOKUPS = Counter(
    "datastorage_document_lookups_total", "Requests that name their document, by outcome.", ["outcome"]
)
ACCESS_AUDIT_DROPPED = Counter(
    "datastorage_access_audit_dropped_total",
    "Entries of the access audit that were lost because too many waited to be written.",
)
REJECTED = Counter("datastorage_rejected_total", "Writes refused for a reason of the caller's.", ["code"])
SANITIZATIONS = Counter("datastorage_sanitization_total", "Changes made to free text.", ["operation"])
DATABASE_UP = Gauge(
    "datastorage_database_up",
    "1 while the database answers, checked every few seconds.",
    multiprocess_mode="livemin",
)
FALLBACK_ACTIVE = Gauge(
    "datastorage_fallback_mode_active",
    "1 while the vector engine is out of use.",
    multiprocess_mode="livemax",
)
READ_REPLICA_ACTIVE = Gauge(
    "datastorage_read_replica_active",
    "1 while queries are answered by the read replica.",
    multiprocess_mode="livemin",
)
POOL_SIZE = Gauge(
    "datastorage_pool_size",
    "Database connections this service may open, by what for.",
    ["pool"],
    multiprocess_mode="livesum",
)
POOL_IN_USE = Gauge(
    "datastorage_pool_in_use", "Database connections in use.", ["pool"], multiprocess_mode="livesum"
)
POOL_WAITING = Gauge(
    "datastorage_pool_waiting",
    "Requests and workers that wait for a database connection.",
    ["pool"],
    multiprocess_mode="livesum",
)
REQUESTS_IN_FLIGHT = Gauge(
    "datastorage_requests_in_flight", "HTTP requests being served.", multiprocess_mode="livesum"
)
CUT_OFF = Counter(
    "datastorage_connections_cut_off_total", "Connections ended against their client's will.", ["reason"]
)
BUILD_INFO = Gauge(
    "datastorage_build_info", "Always 1; the labels say what runs.", ["version"], multiprocess_mode="livemax"
)

_WRITE = {
    table: (
        Count(WRITES.labels(table, Status.SUCCESS)),
        Count(WRITES.labels(table, Status.FAILURE)),
        Durations(WRITE_SECONDS.labels(table), SECONDS_BUCKETS),
    )
    for table in Table
}
_QUERY = {
    operation: (
        Count(QUERIES.labels(operation, Status.SUCCESS)),
        Count(QUERIES.labels(operation, Status.FAILURE)),
        Durations(QUERY_SECONDS.labels(operation), SECONDS_BUCKETS),
    )
    for operation in QueryOperation
}
_EXECUTION = {executor: Count(EXECUTIONS.labels(executor)) for executor in Executor}
_DUALWRITE_SUCCESS = Count(DUALWRITE_SUCCESS)
_CACHE_HITS, _CACHE_MISSES = Count(CACHE_HITS), Count(CACHE_MISSES)
_EMBEDDING_SECONDS = Durations(EMBEDDING_SECONDS, EMBEDDING_BUCKETS)
_IN_FLIGHT = Level(REQUESTS_IN_FLIGHT)
_WRITE_QUEUE = Level(WRITE_QUEUE_UNITS)
_EMBEDDING = {outcome: EMBEDDING_REQUESTS.labels(outcome) for outcome in EmbeddingOutcome}
_CIRCUIT = {
    name: {state: CIRCUIT_STATE.labels(name, state) for state in CircuitState} for name in CircuitName
}
_POOL = {pool: (POOL_SIZE.labels(pool), POOL_IN_USE.labels(pool), POOL_WAITING.labels(pool)) for pool in Pool}
_SANITIZATION = {operation: Count(SANITIZATIONS.labels(operation)) for operation in Sanitization}
_OUTBOX = {kind: (OUTBOX_DEPTH.labels(kind), OUTBOX_AGE.labels(kind)) for kind in OutboxEntry}
_DUALWRITE_FAILURE = {reason: DUALWRITE_FAILURE.labels(reason) for reason in DualWriteFailure}
_AUTHENTICATION_FAILURE = {reason: AUTHENTICATION_FAILURES.labels(reason) for reason in AuthenticationFailure}
_CUT_OFF = {reason: CUT_OFF.labels(reason) for reason in CutOff}
_THROTTLED = {limit: THROTTLED.labels(limit) for limit in ThrottledBy}
_DOCUMENT_LOOKUP = {outcome: Count(DOCUMENT_LOOKUPS.labels(outcome)) for outcome in DocumentLookup}
_REJECTED = {code: REJECTED.labels(code) for code in RejectedCode}
_FAULTS = {
    (field.value, reason): VALIDATION_FAILURES.labels(field, reason)
    for field in FaultField
    for reason in FaultReason
}


def count_writes(table: Table, *, succeeded: int = 0, failed: int = 0, seconds: float) -> None:
    """Counts the rows of one unit of work; a refused row is neither success nor failure."""
    success, failure, duration = _WRITE[table]
    success.add(succeeded)
    failure.add(failed)
    if succeeded or failed:
        duration.add(seconds)


def count_dualwrite_success(units: int) -> None:
    """Counts units of work that were committed."""
    _DUALWRITE_SUCCESS.add(units)


def count_dualwrite_failure(reason: DualWriteFailure) -> None:
    """Counts a unit of work that was not committed."""
    _DUALWRITE_FAILURE[reason].inc()


def count_execution(executor: Executor) -> None:
    """Counts one operation, whatever became of it."""
    _EXECUTION[executor].add()


def count_cache_reads(hits: int, misses: int) -> None:
    """Counts texts whose vector was asked for, by whether the provider had to be asked."""
    _CACHE_HITS.add(hits)
    _CACHE_MISSES.add(misses)


def count_embedded(texts: int, seconds: float) -> None:
    """Counts and times texts that the provider embedded in one call: each takes its share of the time."""
    _EMBEDDING_SECONDS.add(seconds / texts, texts)


def write_queued() -> None:
    """Counts a unit of work that waits for its turn."""
    _WRITE_QUEUE.up()


def write_taken() -> None:
    """Its turn has come, or nobody waits for it any more."""
    _WRITE_QUEUE.down()


def request_began() -> None:
    """Counts a request that is being served."""
    _IN_FLIGHT.up()


def request_ended() -> None:
    """However it ended."""
    _IN_FLIGHT.down()


def count_embedding_request(outcome: EmbeddingOutcome) -> None:
    """Counts one call of the provider, whatever it took of texts and of attempts."""
    _EMBEDDING[outcome].inc()


def show_circuit(name: CircuitName, current: CircuitState) -> None:
    """Shows the state of a breaker."""
    for state, gauge in _CIRCUIT[name].items():
        gauge.set(state is current)


def show_outbox(kind: OutboxEntry, depth: int, oldest_age_s: float) -> None:
    """Shows what waits."""
    for gauge, value in zip(_OUTBOX[kind], (depth, oldest_age_s), strict=True):
        gauge.set(value)


def show_replica(active: bool) -> None:
    """Shows where queries are answered."""
    READ_REPLICA_ACTIVE.set(active)


def show_pool(pool: Pool, size: int, in_use: int, waiting: int) -> None:
    """Shows how a pool is used."""
    for gauge, value in zip(_POOL[pool], (size, in_use, waiting), strict=True):
        gauge.set(value)


def count_sanitizations(operation: Sanitization, times: int = 1) -> None:
    """Counts changes made to free text."""
    _SANITIZATION[operation].add(times)


def count_authentication_failure(reason: AuthenticationFailure) -> None:
    """Counts a request that was not let in."""
    _AUTHENTICATION_FAILURE[reason].inc()


def count_cut_off(reason: CutOff) -> None:
    """Counts a connection that was ended against its client's will."""
    _CUT_OFF[reason].inc()


def count_throttled(limit: ThrottledBy) -> None:
    """Counts a request that met a limit."""
    _THROTTLED[limit].inc()


def count_document_lookup(outcome: DocumentLookup) -> None:
    """Counts a request that names its document, or had to."""
    _DOCUMENT_LOOKUP[outcome].add()


def count_rejected(code: RejectedCode) -> None:
    """Counts a write refused for a reason of the caller's."""
    _REJECTED[code].inc()


def count_fault(field_name: str, reason: FaultReason) -> None:
    """Counts one refused field; `field_name` is the column's name, unknown ones count as other."""
    (_FAULTS.get((field_name, reason)) or _FAULTS[FaultField.OTHER, reason]).inc()


class query_observed:  # noqa: N801 -- a context manager, used as one
    """Counts and times one root query; an exception counts as failure unless it is the caller's fault.

    The caller's faults are recognised by `retryable` being False on errors raised on purpose. A query that
    is cancelled, because the request took too long or the process had to end, is a failure as well.
    """

    __slots__ = ("_operation", "_started")

    def __init__(self, operation: QueryOperation) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        success, failure, duration = _QUERY[self._operation]
        (failure if error is not None and getattr(error, "retryable", True) else success).add()
        duration.add(perf_counter() - self._started)
