"""The composition root: settings → database, provider, services → Starlette. Opens in order, closes in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from sqlalchemy.engine import URL
from starlette.applications import Starlette

from datastorage import __version__, memory
from datastorage.db import migrations
from datastorage.db.database import Database
from datastorage.db.findings import Expected
from datastorage.db.location import located, revive
from datastorage.db.pooler import refuse_pooler
from datastorage.db.startup_checks import check_database, refuse_fatal
from datastorage.domain.kinds import KINDS
from datastorage.embedding import (
    TracedProvider,
    configured_cache,
    configured_prefixes,
    configured_provider,
    model_and_dimensions,
)
from datastorage.errors import StartupError
from datastorage.graphql.query_limits import QueryLimits
from datastorage.graphql.schema import build_schema
from datastorage.observability.logging import configure_logging
from datastorage.observability.metrics import BUILD_INFO
from datastorage.observability.spans import Spans
from datastorage.redaction import Redactor
from datastorage.repositories.identifiers import Identifiers
from datastorage.repositories.incident_texts import root_causes
from datastorage.repositories.record_tables import table_of
from datastorage.services.access.trail import AccessTrail, writing_trail
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedder import Embedder
from datastorage.services.embedding_worker import backfilling
from datastorage.services.gathering import Gathering
from datastorage.services.health import Health
from datastorage.services.metrics_hand_over import handing_over_metrics
from datastorage.services.mirror_worker import mirroring
from datastorage.services.outbox_state import showing_outbox
from datastorage.services.second_engine import SecondEngine
from datastorage.services.second_engine_probe import probing_second_engine
from datastorage.services.term_statistics import keeping_term_statistics
from datastorage.services.unused_vectors import removing_unused_vectors
from datastorage.services.write_queue import WriteQueue
from datastorage.settings import AccessAudit, LogFormat, Settings, load_settings
from datastorage.vector_engine.configured import configured_engine
from datastorage.vector_engine.traced import TracedEngine
from datastorage.web.application import build_application
from datastorage.web.shutdown import draining_on_sigterm, ending_with_supervisor

log = structlog.get_logger(__name__)


def create_app() -> Starlette:
    """The application as uvicorn's workers load it: settings from the environment, parts opened at start."""
    settings = load_settings()
    start_logging(settings)
    spans = configured_spans(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            url = await asyncio.to_thread(stack.enter_context, located(settings))
            if spans is not None:
                stack.push_async_callback(asyncio.to_thread, spans.close)
            deps = await stack.enter_async_context(dependencies(url, settings, spans))
            health = Health(
                deps.database, None if settings.has_database else partial(revive, settings), deps.second
            )
            app.state.deps, app.state.health = deps, health
            await stack.enter_async_context(handing_over_metrics())
            await stack.enter_async_context(writing_trail(deps.trail, deps.database))
            await stack.enter_async_context(app.state.authentication.running())
            stack.push_async_callback(app.state.rate_limits.close)
            stack.push_async_callback(app.state.documents.close)
            await stack.enter_async_context(health.watching())
            await stack.enter_async_context(keeping_term_statistics(deps.database))
            await stack.enter_async_context(probing_second_engine(deps))
            await stack.enter_async_context(mirroring(deps))
            await stack.enter_async_context(showing_outbox(deps))
            await stack.enter_async_context(backfilling(deps))
            await stack.enter_async_context(removing_unused_vectors(deps))
            memory.settle()
            with draining_on_sigterm(health, settings.drain_s), ending_with_supervisor():
                yield

    return build_application(
        build_schema(query_limits(settings), queries_noted=settings.access_audit is AccessAudit.ALL),
        settings,
        lifespan,
        spans,
    )


@asynccontextmanager
async def dependencies(
    url: URL, settings: Settings, spans: Spans | None = None
) -> AsyncIterator[Dependencies]:
    """What the services work with; `spans`: if traces are wanted."""
    BUILD_INFO.labels(__version__).set(1)
    engine = configured_engine(settings)
    second = SecondEngine(engine if engine is None or spans is None else TracedEngine(engine, spans))
    database = Database.connect(url, settings, spans)
    embedder = configured_embedder(settings, spans)
    writes = WriteQueue()
    try:
        yield Dependencies(
            database=database,
            embedder=embedder,
            redactor=Redactor(settings.redaction_patterns),
            ids={kind.type_name: Identifiers(database, table_of(kind).table.name) for kind in KINDS},
            root_causes=Gathering(partial(root_causes, database.rows)),
            writes=writes,
            second=second,
            trail=AccessTrail(settings.access_audit),
            batch_rows_max=settings.batch_rows_max,
        )
    finally:
        await writes.close()
        await second.close()
        await embedder.close()
        await database.close()


def configured_embedder(settings: Settings, spans: Spans | None = None) -> Embedder:
    """The configured provider behind the configured cache. Errors: StartupError."""
    provider = configured_provider(settings)
    if provider is not None and spans is not None:
        provider = TracedProvider(provider, spans)
    return Embedder(
        provider,
        configured_cache(settings, provider),
        prefixes=configured_prefixes(settings),
        timeout_s=settings.embedding_timeout_s,
    )


def configured_spans(settings: Settings) -> Spans | None:
    """Where spans of requests go; None unless the settings want traces. Errors: StartupError."""
    if settings.traces_url is None:
        return None
    try:
        from datastorage.observability.tracing import (  # noqa: PLC0415 -- an extra, and slow to import
            OpenTelemetrySpans,
        )
    except ModuleNotFoundError as error:
        raise StartupError(
            f"DATASTORAGE_TRACES_URL is set, but package {error.name} is not installed: "
            "pip install 'datastorage[otel]'"
        ) from None
    return OpenTelemetrySpans.sending_to(settings.traces_url, settings.traces_sampled)


def query_limits(settings: Settings) -> QueryLimits:
    """How large an operation may be."""
    return QueryLimits(
        tokens=settings.query_tokens_max,
        depth=settings.query_depth_max,
        fields=settings.query_fields_max,
        aliases=settings.query_aliases_max,
        cost=settings.query_cost_max,
        introspection=settings.introspection,
    )


async def prepare_database(url: URL, settings: Settings) -> None:
    """Checks the database and brings its schema up to date where that is ours to do. Errors: StartupError."""
    findings = await check_database(url, expected(settings))
    refuse_fatal(findings)
    for finding in findings:
        if not finding.good:
            log.warning("startup_check", check=finding.check, detail=finding.detail, mend=finding.mend)
    if settings.migrate_on_start:
        refuse_pooler(settings.database_pooler, "DATASTORAGE_MIGRATE_ON_START")
    if not settings.has_database or settings.migrate_on_start:
        await migrations.upgrade(url, on_step=lambda step: log.info("migrated", revision=step))
        return
    state = await migrations.read_state(url)
    if not state.good:
        log.warning("schema_not_ready", detail=state.describe())


def expected(settings: Settings) -> Expected:
    """What the processes of this service will ask of the database. Errors: StartupError."""
    model, dimensions = model_and_dimensions(settings)
    return Expected(connections=settings.workers * settings.pool_size, dimensions=dimensions, model=model)


def start_logging(settings: Settings) -> None:
    """Logs for this process, as the settings say; secrets are redacted from every line."""
    redactor = Redactor(settings.redaction_patterns)
    configure_logging(
        level=settings.log_level,
        json=None if settings.log_format is LogFormat.AUTO else settings.log_format is LogFormat.JSON,
        redact=lambda text: redactor.text(text)[0],
    )
