"""Every query of the dashboards and of the documentation, asked of those who would be asked, after a busy while."""

import math
from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from support.boards import documented_promql, graphql, panels, promql, selected, variables
from support.busy import rounds
from support.postgres import cloned
from support.prometheus import Prometheus, scraping
from support.quoted import targets
from support.service import Service, environment, started, wait_until

ROUNDS = 15


@pytest.fixture(scope="module")
def service(server_url: URL, template: str) -> Iterator[Service]:
    """One of these tests' own: what is asked of it shows in its metrics."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cloned(server_url, template)) as url,
        started(environment(url)) as service,
    ):
        yield service.await_start()


def test_every_query_finds_data_in_a_busy_service(service: Service) -> None:
    with scraping({"shop": service.metrics_url}) as prometheus:
        asked = rounds(service)
        for _ in range(ROUNDS):
            next(asked)
        wait_until(lambda: prometheus.value("sum(datastorage_execution_total)") == counted(service))

        boards = {
            f"{panel['title']}: {target['refId']}": promql(target)
            for panel in panels("operations")
            for target in panel["targets"]
        }
        documented = {
            expression: expression for found in documented_promql().values() for expression in found
        }
        without = [
            name for name, expression in (boards | documented).items() if not has_data(prometheus, expression)
        ]

        assert without == []
        assert len(boards) >= 40
        assert len(documented_promql()["docs/promql.md"]) >= 50
        assert_variables_have_choices(prometheus)
        assert_targets_are_met(prometheus)
        assert (
            prometheus.query('sum(rate(datastorage_write_total{status="success"}[1m]))')[0]["value"][1] != "0"
        )

    assert_incidents_are_found(service)


def counted(service: Service) -> float:
    (total,) = [metric for metric in service.metrics() if metric.name == "datastorage_execution"]
    return sum(sample.value for sample in total.samples)


def has_data(prometheus: Prometheus, expression: str) -> bool:
    values = [float(sample["value"][1]) for sample in prometheus.query(expression)]
    return any(not math.isnan(value) for value in values)


def assert_targets_are_met(prometheus: Prometheus) -> None:
    """A service that does well is said to do well; durations aside, which are those of a busy machine."""
    missed = [
        (expression, target)
        for expression, target in targets("going-live.md")
        if "duration_seconds" not in expression and prometheus.query(f"({expression}) {target}") == []
    ]

    assert missed == []


def assert_variables_have_choices(prometheus: Prometheus) -> None:
    """As Grafana reads `label_values`: the values of a label among the series of a metric."""
    for name in ("namespace", "instance"):
        query = variables("operations")[name]["query"]["query"]
        assert query.startswith("label_values(datastorage_build_info")
        assert query.endswith(f", {name})")
        assert prometheus.query(f'count by ({name}) (datastorage_build_info{{{name}!=""}})') != []


def assert_incidents_are_found(service: Service) -> None:
    choices: dict[str, list[str]] = {}
    for name in ("cluster", "namespace"):
        asked = variables("incidents")[name]["query"]["infinityQuery"]
        found = selected(service.ask(graphql(asked, {})), asked["root_selector"])
        choices[name] = [value["value"] for value in found]
    assert set(choices["namespace"]) == {"payments", "shop", "search"}

    for panel in panels("incidents"):
        for target in panel["targets"]:
            answer = service.ask(graphql(target, choices))
            assert "errors" not in answer, (panel["title"], answer)
            rows = selected(answer, target["root_selector"])
            assert rows, panel["title"]
            for column in target["columns"]:
                found = [selected(row, column["selector"]) for row in rows]
                assert any(value is not None for value in found), (panel["title"], column)
