"""The examples of docs/api, asked one after the other of a service that was empty before: they answer as shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import build_schema
from sqlalchemy.engine import URL

from support.examples import PAGES, Example, differences, examples
from support.postgres import cloned_for_processes
from support.process_host import ProcessHost
from support.service import Service, environment, started, wait_until

# As a reader goes through them: what one stores, the next one reads.
IN_ORDER = (
    "README.md", "write.md", "read.md", "filters.md", "figures.md", "search.md", "administration.md", "errors.md",
)  # fmt: skip
WITHOUT_EXAMPLES = {"limits.md"}
SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text())
RECORDED = '{ accessAudit(first: 1, filter: {field: "recordFeedback"}) { nodes { field } } }'


@pytest.fixture(scope="module")
def service(server_url: URL, template: str, host_of_services: ProcessHost) -> Iterator[Service]:
    """An empty one, which records who wrote."""
    with (
        cloned_for_processes(server_url, template) as url,
        started(environment(url, ACCESS_AUDIT="mutations"), host=host_of_services) as service,
    ):
        yield service.await_start()


def test_each_page_is_tried() -> None:
    assert {page.name for page in PAGES.glob("*.md")} == {*IN_ORDER, *WITHOUT_EXAMPLES}


def test_each_operation_has_an_example() -> None:
    shown = {field for page in IN_ORDER for example in examples(page) for field in example.root_fields}

    assert SCHEMA.query_type is not None
    assert SCHEMA.mutation_type is not None
    assert {*SCHEMA.query_type.fields, *SCHEMA.mutation_type.fields} - shown == set()


def test_each_example_answers_as_shown(service: Service) -> None:
    wrong = [
        f"{page}, example {number}: {difference}"
        for page in IN_ORDER
        for number, example in enumerate(examples(page), 1)
        for difference in differences(example.answer, asked(service, example))
    ]

    assert wrong == []


def asked(service: Service, example: Example) -> object:
    if "accessAudit" in example.root_fields:  # it is written once a second
        wait_until(lambda: service.ask(RECORDED)["data"]["accessAudit"]["nodes"])
    return service.ask(example.document, **example.variables)


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([1], [1, 2]),
        ([1, "…"], [1]),
        ([1, "…"], [2, 3]),
        ("a…", "b and more"),
        ("…", None),
        ("…", ""),
        (0.58, 0.57),
        (1, 1.0),
        (True, 1),
        (None, 0),
    ],
)
def test_an_answer_that_is_not_the_one_shown_is_told(shown: object, real: object) -> None:
    assert list(differences(shown, real)) != []


def test_what_is_left_out_and_rounded_is_no_difference() -> None:
    shown = {"id": "…", "text": "from … on", "rate": 0.58, "items": [1, "…"]}
    real = {"id": "x", "text": "from now on", "rate": 0.5817, "items": [1, 2, 3]}

    assert list(differences(shown, real)) == []
