"""The Python client is what the schema gives, reads whole records, and stands alone."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)

from datastorage import limits
from datastorage.client import DataStorage, batching
from datastorage.client.generated import operations
from datastorage.client.operation import Operation

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
FRAGMENTS = [
    definition
    for place in sorted((ROOT / "client" / "fragments").glob("*.graphql"))
    for definition in parse(place.read_text()).definitions
    if isinstance(definition, FragmentDefinitionNode)
]
LEFT_OUT = {"totalCount"}  # counting costs; a listing asks for it when it is asked
SERVER = (
    "sqlalchemy", "asyncpg", "strawberry", "starlette", "graphql", "numpy", "structlog", "typer", "uvicorn",
)  # fmt: skip


def test_what_is_generated_is_what_the_schema_gives() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "client" / "generate.py", "--check"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: fragment.name.value)
def test_a_fragment_reads_all_values_of_its_type(fragment: FragmentDefinitionNode) -> None:
    kind = SCHEMA.type_map[fragment.type_condition.name.value]
    assert isinstance(kind, GraphQLObjectType)
    selected = {each.name.value for each in fragment.selection_set.selections if isinstance(each, FieldNode)}
    values = {name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))}

    assert values - LEFT_OUT - selected == set()


def test_every_root_field_has_an_operation_that_is_valid() -> None:
    known = [operation for operation in vars(operations).values() if isinstance(operation, Operation)]

    for operation in known:
        assert validate(SCHEMA, parse(operation.document)) == [], operation.field
    fields = {*SCHEMA.query_type.fields, *SCHEMA.mutation_type.fields}
    assert {operation.field for operation in known} == fields


def test_the_client_asks_for_no_more_than_the_service_takes() -> None:
    page_size = inspect.signature(DataStorage.remediation_audits).parameters["page_size"].default

    assert (batching.INPUTS_MAX, page_size) == (limits.BATCH_ROWS_MAX, limits.PAGE_ROWS_MAX)
    assert batching.BYTES_MAX <= limits.REQUEST_BODY_BYTES_MAX / 2


def test_importing_the_client_imports_nothing_of_the_server() -> None:
    script = "import sys, datastorage.client; print('\\n'.join(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(ran.stdout.split())

    assert {name for name in imported if name.split(".")[0] in SERVER} == set()
    ours = {name for name in imported if name.split(".")[0] == "datastorage"}
    assert {name for name in ours if not name.startswith("datastorage.client")} == {"datastorage"}
