"""The dashboards as they lie in the repository: what they must show, in forms that Grafana knows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dashboards").glob("*.json"))
BOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in FILES}
MODERN = {"row", "timeseries", "stat", "table", "bargauge"}
OPERATIONS_SHOW = {
    "Write rate", "Write latency", "Dual write: success against failure", "PostgreSQL-only mode",
    "Cache hit rate", "Embedding latency", "Validation failures by field", "Query rate",
    "Query p95 by operation", "Semantic search latency", "Write error rate", "Query error rate",
    "Validation failure rate", "Pool use", "Outbox",
}  # fmt: skip
VARIABLES = {
    "operations": ["datasource", "namespace", "instance"],
    "incidents": ["datasource", "cluster", "namespace", "bucket"],
}
board = pytest.mark.parametrize("name", BOARDS)


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in BOARDS[name]["panels"] if panel["type"] != "row"]


def test_they_are_what_their_sources_make(tmp_path: Path) -> None:
    for source in (ROOT / "dashboards").glob("*.py"):
        (tmp_path / source.name).write_text(source.read_text())
    subprocess.run([sys.executable, tmp_path / "build.py"], check=True)

    made = {file.name: file.read_text() for file in tmp_path.glob("*.json")}
    assert made == {file.name: file.read_text() for file in FILES}, "run: make dashboards"


@board
def test_grafana_knows_everything_that_is_written_there(name: str) -> None:
    register_default_plugins()

    understood = json.loads(json.dumps(Dashboard.from_json(BOARDS[name]).to_json(), cls=JSONEncoder))

    assert understood == BOARDS[name]


@board
def test_panels_are_modern_and_explained(name: str) -> None:
    assert {panel["type"] for panel in BOARDS[name]["panels"]} <= MODERN
    assert [panel["title"] for panel in panels(name) if not panel.get("description", "").endswith(".")] == []
    assert len({panel["id"] for panel in panels(name)}) == len(panels(name))


def test_the_operations_board_shows_what_it_must() -> None:
    assert {panel["title"] for panel in panels("operations")} >= OPERATIONS_SHOW


@board
def test_the_data_source_is_chosen_in_the_board_and_nowhere_else(name: str) -> None:
    variables = BOARDS[name]["templating"]["list"]
    source = variables[0]

    assert [variable["name"] for variable in variables] == VARIABLES[name]
    assert {panel["datasource"]["uid"] for panel in panels(name)} == {"${datasource}"}
    assert {panel["datasource"]["type"] for panel in panels(name)} == {source["query"]}


@board
def test_panels_lie_side_by_side(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]

    assert max(x for x, _ in taken) == 23
