"""The queries of the dashboards and of the documentation, as Grafana would send them."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What Grafana puts in for variables of which all values are chosen, and for its own.
SCOPE = {"$namespace": ".*", "$instance": ".*", "$__rate_interval": "1m"}


def content(board: str) -> dict[str, Any]:
    """A board as it lies in the repository."""
    return json.loads((ROOT / "dashboards" / f"{board}.json").read_text())


def panels(board: str) -> Iterator[dict[str, Any]]:
    """Those that ask something."""
    return (panel for panel in content(board)["panels"] if panel["type"] != "row")


def variables(board: str) -> dict[str, Any]:
    """The variables of a board, by name."""
    return {variable["name"]: variable for variable in content(board)["templating"]["list"]}


def promql(target: dict[str, Any]) -> str:
    """The expression of one query of a panel."""
    expression = target["expr"]
    for variable, value in SCOPE.items():
        expression = expression.replace(variable, value)
    return expression


def graphql(target: dict[str, Any], choices: dict[str, list[str]], days: int = 30) -> str:
    """The document of one query of a panel, for the last days."""
    now = datetime.now(UTC)
    document = target["url_options"]["body_graphql_query"].replace("${bucket}", "DAY")
    for border, time in (("from", now - timedelta(days=days)), ("to", now)):
        document = document.replace(f"${{__{border}:date:iso}}", time.isoformat(timespec="milliseconds"))
    for name, values in choices.items():
        document = document.replace(f"${{{name}:json}}", json.dumps(values))
    return document


def selected(answer: dict[str, Any], selector: str) -> Any:
    """What a selector leads to."""
    found: Any = answer
    for step in selector.split("."):
        found = found[int(step)] if step.isdecimal() else found[step]
    return found


def documented_promql() -> dict[str, list[str]]:
    """The expressions of the documentation, by page."""
    return {
        str(page.relative_to(ROOT)): found
        for page in (ROOT / "docs").rglob("*.md")
        if (found := re.findall(r"```promql\n(.*?)\n```", page.read_text(), re.DOTALL))
    }
