"""Writes operations.json and incidents.json, to be imported or provisioned into Grafana 10 and newer: `make dashboards`."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Final

import incidents
import operations
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

HERE: Final = Path(__file__).parent
BOARDS: Final = {"operations": (operations, "now-1h"), "incidents": (incidents, "now-30d")}
TAG: Final = "data-storage-service"


def board(content: ModuleType, since: str) -> str:
    """One board as JSON."""
    built = (
        Dashboard(content.TITLE)
        .uid(content.UID)
        .description(content.ABOUT)
        .tags([TAG])
        .time(since, "now")
        .timezone("browser")
        .refresh("30s" if since == "now-1h" else "5m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            DashboardLink("Data Storage Service")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
        )
        .variables(content.variables())
    )
    number = 0
    for title, panels in content.ROWS.items():
        built.with_row(Row(title))
        for panel in panels:
            number += 1
            built.with_panel(panel.id(number))
    return json.dumps(built.build(), cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"


def boards() -> dict[str, str]:
    """All of them, by the name of their file."""
    return {f"{name}.json": board(content, since) for name, (content, since) in BOARDS.items()}


if __name__ == "__main__":
    for name, text in boards().items():
        (HERE / name).write_text(text)
