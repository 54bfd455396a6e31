"""The documentation says what the code does."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate
from prometheus_client.metrics import MetricWrapperBase

from bench.speed import page
from datastorage.cli.settings_ import markdown_table
from datastorage.graphql import errors as api_errors
from datastorage.graphql import schema
from datastorage.graphql.enums import ErrorCode
from datastorage.observability import metrics

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()


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


@pytest.mark.parametrize(
    "code", sorted({*(code.value for code in ErrorCode), *(code for _, code in api_errors.CODES), "INTERNAL"})
)
def test_every_error_code_is_documented(code: str) -> None:
    assert f"`{code}`" in OPERATIONS


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
