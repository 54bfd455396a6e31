"""What `datastorage doctor` finds out about the vector engine: it is prepared, as at a start.

Without it the service runs, on PostgreSQL alone. So only one that cannot even be configured is fatal.
"""

from __future__ import annotations

from datastorage.db.findings import Finding
from datastorage.embedding import model_and_dimensions
from datastorage.errors import EngineUnavailable, StartupError
from datastorage.settings import Settings
from datastorage.vector_engine import VectorEngine
from datastorage.vector_engine.configured import configured_engine

CHECK = "vector engine"


async def engine_findings(settings: Settings) -> list[Finding]:
    """The engine, where one is configured."""
    try:
        engine = configured_engine(settings)
        model, dimensions = model_and_dimensions(settings)
    except StartupError as error:
        return [Finding(CHECK, str(error), "see the message", fatal=True)]
    if engine is None:
        return []
    if dimensions is None:
        return [Finding(CHECK, "not asked: embeddings are off")]
    try:
        return [await _asked(engine, model, dimensions)]
    finally:
        await engine.close()


async def _asked(engine: VectorEngine, model: str, dimensions: int) -> Finding:
    try:
        await engine.prepare(model, dimensions)
        return Finding(CHECK, f"answers, and has {await engine.count(model):,} vectors of {model}")
    except EngineUnavailable as error:
        mend = (
            "check DATASTORAGE_VECTOR_ENGINE_URL and DATASTORAGE_VECTOR_ENGINE_TOKEN, and whether it runs; until "
            "then PostgreSQL serves alone"
        )
        return Finding(CHECK, str(error), mend)
