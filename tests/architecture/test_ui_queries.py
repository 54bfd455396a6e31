"""The queries that GraphiQL opens with are valid, and so are their variables."""

from pathlib import Path

import pytest
from graphql import parse, validate

from datastorage.graphql import schema as api

QUERIES = sorted((Path(__file__).parents[2] / "ui" / "src" / "queries").glob("*.graphql"))


def test_there_are_queries_to_start_with() -> None:
    assert len(QUERIES) >= 3


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_a_first_query_is_valid(file: Path) -> None:
    schema = api.build_schema()._schema

    assert validate(schema, parse(file.read_text())) == []
