"""The documentation says what the code does."""

import ast
import re
from pathlib import Path

import pytest
from graphql import parse, validate
from prometheus_client.metrics import MetricWrapperBase

from bench.speed import page
from datastorage import limits
from datastorage.cli.settings_ import markdown_table
from datastorage.errors import FaultReason
from datastorage.graphql import errors as api_errors
from datastorage.graphql import schema
from datastorage.graphql.enums import ErrorCode
from datastorage.observability import metrics
from datastorage.settings import Settings

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
ERRORS = (ROOT / "docs" / "api" / "errors.md").read_text()
LIMITS = (ROOT / "docs" / "api" / "limits.md").read_text()
README = (ROOT / "README.md").read_text()

# What else is written in capitals where codes are.
NO_CODES = {"GET", "HEAD", "JSON", "KEY_VALUES_MISMATCH", "POST", "PROMETHEUS_MULTIPROC_DIR"}


def test_the_readme_has_the_table_of_settings() -> None:
    assert "\n".join(markdown_table()) in README, "paste the output of: datastorage settings --markdown"


def declared_metrics() -> dict[str, MetricWrapperBase]:
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (described,) = metric.describe()
            found[described.name + ("_total" if described.type == "counter" else "")] = metric
    return found


def test_every_metric_is_documented_with_its_labels_and_no_other_is() -> None:
    rows = re.findall(r"^\| `(datastorage_\w+)` \| (.*?) \|", OPERATIONS, re.MULTILINE)
    documented = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}

    assert documented == {name: metric._labelnames for name, metric in declared_metrics().items()}


def test_every_error_of_a_mutation_is_documented_and_no_other_is() -> None:
    documented = re.findall(r"^\| `(\w+Error)` \| `(\w+)` \|", ERRORS, re.MULTILINE)
    types = [error_type.__name__ for error_type, _ in api_errors.RESULTS.values()]

    assert [name for name, _ in documented] == types
    assert {code for _, code in documented} == {code.value for code in ErrorCode}


def test_every_code_of_an_error_is_documented_and_no_other_is() -> None:
    _, _, of_requests = ERRORS.partition("## Faults of a request")
    edge = [*(ROOT / "src/datastorage/web").rglob("*.py"), *(ROOT / "src/datastorage/graphql").glob("*.py")]
    said = {
        node.value
        for file in edge
        if file.name != "enums.py"  # the codes of results, and enums of the API
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[A-Z]{3,}(_[A-Z]+)*", node.value)
    }

    documented = set(re.findall(r"^\| (?:\d{3} \| )?`([A-Z_]+)` \|", of_requests, re.MULTILINE))
    assert documented == said - NO_CODES


def test_every_reason_of_a_fault_is_documented() -> None:
    _, _, told = ERRORS.partition("| reason of a fault |")

    assert set(re.findall(r"`([A-Z_]+)`", told.partition("\n## ")[0])) >= {
        reason.name for reason in FaultReason
    }


@pytest.mark.parametrize(
    ("row", "bounds"),
    [
        ("rows of a page", (limits.PAGE_ROWS_MAX, limits.PAGE_ROWS_DEFAULT)),
        ("records of one mutation", (Settings.model_fields["batch_rows_max"].default,)),
        ("requests of one principal", (limits.RATE_PER_PRINCIPAL_S, limits.RATE_PER_PRINCIPAL_BURST)),
        ("what one answer may hold", (limits.QUERY_COST_MAX,)),
        (
            "depth, fields, aliases of an operation",
            (limits.QUERY_DEPTH_MAX, limits.QUERY_FIELDS_MAX, limits.QUERY_ALIASES_MAX),
        ),
        ("searches in one request", (limits.SEARCHES_MAX,)),
        ("text of a search", (limits.SEARCH_TEXT_BYTES_MAX / 1024,)),
        (
            "filters within each other",
            (limits.FILTER_DEPTH_MAX, limits.FILTER_CONDITIONS_MAX, limits.FILTER_VALUES_MAX),
        ),
        ("fields of one order", (limits.ORDER_TERMS_MAX, limits.STATISTICS_GROUP_FIELDS_MAX)),
        ("groups × buckets", (limits.STATISTICS_ROWS_MAX,)),
        ("keys, `name`", (limits.KEY_CHARS_MAX,)),
        ("`actionType`", (limits.ACTION_TYPE_CHARS_MAX,)),
        ("`environment`", (limits.ENVIRONMENT_CHARS_MAX,)),
        ("`targetResource`", (limits.TARGET_RESOURCE_CHARS_MAX,)),
        ("`errorMessage`", (limits.FREE_TEXT_BYTES_MAX / 1024,)),
        ("`actionParameters`", (limits.ACTION_PARAMETERS_BYTES_MAX / 1024,)),
        ("`metadata`", (limits.METADATA_BYTES_MAX / 1024, limits.METADATA_DEPTH_MAX)),
    ],
)
def test_a_limit_is_documented_as_it_is(row: str, bounds: tuple[float, ...]) -> None:
    (told,) = re.findall(rf"^\| {row}[^|]*\| ([^|]+)", LIMITS, re.MULTILINE)

    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", told)]
    assert [number for number in numbers if number in bounds] == list(bounds)


def test_every_link_in_the_docs_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize(
    "document",
    [
        document
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for document in re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL)
    ],
)
def test_every_documented_query_is_valid(document: str) -> None:
    assert validate(schema.build_schema()._schema, parse(document)) == []


def test_nothing_that_ships_speaks_of_what_a_user_does_not_have() -> None:
    shipped = [
        file
        for folder in ("src", "docs", "alembic", "bench", "ui/src")
        for file in (ROOT / folder).rglob("*")
        if "node_modules" not in file.parts
    ]
    told = [
        str(file.relative_to(ROOT))
        for file in shipped
        if file.suffix in (".py", ".md", ".js", ".jsx", ".graphql", ".toml")
        and re.search(r"\.\./shared|spec\.md|measurements\.md|style\.md", file.read_text())
    ]
    assert told == []


def test_the_page_on_performance_is_that_of_the_results_kept() -> None:
    for name, content in page.written(ROOT / "bench" / "results").items():
        assert (ROOT / name).read_text() == content, "run: python -m bench.speed docs"
