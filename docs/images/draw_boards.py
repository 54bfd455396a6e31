"""Draws what the dashboards show: every panel's own queries, asked of a Prometheus and a service that were busy.

    uv run --group pictures python docs/images/draw_boards.py [SECONDS]

Needs Debian's prometheus. Grafana itself is not needed; what is drawn are the panels' data, in their places.
"""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from support import boards, busy  # noqa: E402
from support.prometheus import Prometheus, scraping  # noqa: E402
from support.service import COMMAND, Service, data_place, environment, started  # noqa: E402

mpl.use("Agg")
COLUMNS, CELL_INCHES = 24, (0.62, 0.26)
LEGEND_MAX = 6
SERIES_COLOURS = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#37872d", "#fade2a"]
COLOURS = {"green": "#37872d", "orange": "#c4622d", "red": "#c4162a"}
STYLE = {
    "figure.facecolor": "#111217", "axes.facecolor": "#181b1f", "axes.edgecolor": "#2c3235", "text.color": "#d8d9da",
    "axes.labelcolor": "#9fa7b3", "xtick.color": "#9fa7b3", "ytick.color": "#9fa7b3", "grid.color": "#2c3235",
    "axes.grid": True, "font.size": 7, "axes.prop_cycle": mpl.cycler(color=SERIES_COLOURS), "legend.frameon": False,
}  # fmt: skip
UNITS: dict[str, Callable[[float], str]] = {
    "percentunit": lambda value: f"{100 * value:.3g} %",
    "s": lambda value: f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s",
    "ms": lambda value: f"{value / 1000:.3g} s" if value < 60_000 else f"{value / 60_000:.3g} min",  # noqa: PLR2004
    "wps": lambda value: f"{value:.3g} wr/s",
    "ops": lambda value: f"{value:.3g} ops/s",
    "reqps": lambda value: f"{value:.3g} req/s",
}
Points = list[tuple[datetime, float]]
Draw = Callable[[plt.Axes, dict[str, Any]], None]


def drawn(board: str, draw: Draw, picture: Path) -> None:
    """One board: each panel in its place."""
    panels = boards.content(board)["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = plt.figure(figsize=(COLUMNS * CELL_INCHES[0], rows * CELL_INCHES[1]))
    for panel in panels:
        place = panel["gridPos"]
        if panel["type"] == "row":
            figure.text(
                0.1 / COLUMNS, 1 - (place["y"] + 0.8) / rows, panel["title"], fontsize=10, color="#8ab8ff"
            )
            continue
        margin = 1.2 if panel["type"] in ("timeseries", "bargauge") else 0.2
        left, width = (place["x"] + margin) / COLUMNS, (place["w"] - margin - 0.3) / COLUMNS
        bottom, height = 1 - (place["y"] + place["h"] - 1.0) / rows, (place["h"] - 2.3) / rows
        axes = figure.add_axes((left, bottom, width, height))
        axes.set_axisbelow(b=True)
        axes.set_title(panel["title"], loc="left", fontsize=8, fontweight="bold", pad=3)
        draw(axes, panel)
    figure.savefig(picture, dpi=90)
    plt.close(figure)


def shown(panel: dict[str, Any], value: float | None) -> str:
    """A value in the unit of its panel."""
    if value is None or math.isnan(value):
        return "–"
    return UNITS.get(panel["fieldConfig"]["defaults"].get("unit", ""), lambda plain: f"{plain:.4g}")(value)


def draw_lines(axes: plt.Axes, panel: dict[str, Any], series: dict[str, Points]) -> None:
    """Lines, or areas one upon the other."""
    custom = panel["fieldConfig"]["defaults"]["custom"]
    named = {f"{name}  {shown(panel, points[-1][1])}": points for name, points in series.items() if points}
    times = [[time for time, _ in points] for points in named.values()]
    values = [[value for _, value in points] for points in named.values()]
    if "stacking" in custom and all(each == times[0] for each in times):
        axes.stackplot(times[0], values, labels=[*named], alpha=0.75)
    else:
        for name, x, y in zip(named, times, values, strict=True):
            axes.plot(x, y, label=name, linewidth=1.1)
    limit = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])[1:]
    if limit:
        axes.axhline(limit[0]["value"], color=COLOURS["red"], linestyle="--", linewidth=0.8)
    top = max([value for each in values for value in each if not math.isnan(value)], default=0)
    axes.set_ylim(bottom=0, top=None if top or limit else 1)
    axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _: shown(panel, value))
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.legend(loc="upper left", fontsize=6, ncols=2 if len(named) > LEGEND_MAX // 2 else 1, handlelength=1)


def draw_figure(axes: plt.Axes, panel: dict[str, Any], value: float | None) -> None:
    """One value on the colour of its step."""
    axes.set_xticks([])
    axes.set_yticks([])
    if panel["options"]["colorMode"] == "background" and value is not None:
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        reached = [step for step in steps if step["value"] is None or value >= step["value"]]
        axes.set_facecolor(COLOURS[reached[-1]["color"]])
    axes.text(0.5, 0.5, shown(panel, value), ha="center", va="center", fontsize=15, transform=axes.transAxes)


def draw_table(axes: plt.Axes, panel: dict[str, Any], columns: list[str], rows: list[list[Any]]) -> None:
    """The first rows."""
    axes.axis("off")
    fits = panel["gridPos"]["h"] - 2
    cut = max(8, 100 // len(columns))
    units = {
        override["matcher"]["options"]: UNITS[override["properties"][0]["value"]]
        for override in panel["fieldConfig"]["overrides"]
    }
    texts = [
        [_text(value, units.get(column))[:cut] for column, value in zip(columns, row, strict=True)]
        for row in rows[:fits]
    ]
    table = axes.table(texts, colLabels=columns, loc="upper left", cellLoc="left", edges="horizontal")
    table.auto_set_font_size(value=False)
    table.set_fontsize(6)
    table.auto_set_column_width([*range(len(columns))])
    for cell in table.get_celld().values():
        cell.set_edgecolor("#2c3235")


def draw_bars(axes: plt.Axes, panel: dict[str, Any], rows: list[list[Any]]) -> None:
    """Values side by side, the first on top."""
    rows = rows[:8][::-1]
    axes.barh([str(row[0]) for row in rows], [row[1] for row in rows], color=SERIES_COLOURS[2], height=0.6)
    axes.tick_params(axis="y", labelsize=6)
    for number, row in enumerate(rows):
        axes.text(row[1], number, f" {shown(panel, row[1])}", va="center", fontsize=6)


def _text(value: Any, unit: Callable[[float], str] | None) -> str:
    if value is None:
        return ""
    return str(value) if unit is None else unit(value)


def from_prometheus(prometheus: Prometheus, since: float) -> Draw:
    """How panels of the operations board are drawn."""

    def draw(axes: plt.Axes, panel: dict[str, Any]) -> None:
        if panel["type"] == "stat":
            found = prometheus.query(boards.promql(panel["targets"][0]))
            draw_figure(axes, panel, float(found[0]["value"][1]) if found else None)
            return
        series: dict[str, Points] = {}
        for target in panel["targets"]:
            for found in prometheus.query_range(boards.promql(target), since, time.time(), 2):
                name = target["legendFormat"]
                for label, value in found["metric"].items():
                    name = name.replace(f"{{{{{label}}}}}", value)
                series[name] = [(datetime.fromtimestamp(at), float(value)) for at, value in found["values"]]  # noqa: DTZ006 -- of the picture's own place
        draw_lines(axes, panel, series)

    return draw


def from_service(service: Service) -> Draw:
    """How panels of the incidents board are drawn."""
    choices = {}
    for name in ("cluster", "namespace"):
        asked = boards.variables("incidents")[name]["query"]["infinityQuery"]
        values = boards.selected(service.ask(boards.graphql(asked, {})), asked["root_selector"])
        choices[name] = [value["value"] for value in values]

    def draw(axes: plt.Axes, panel: dict[str, Any]) -> None:
        (target,) = panel["targets"]
        answer = service.ask(boards.graphql(target, choices))
        found = boards.selected(answer, target["root_selector"])
        rows = [[boards.selected(row, column["selector"]) for column in target["columns"]] for row in found]
        if panel["type"] == "stat":
            draw_figure(axes, panel, rows[0][0])
        elif panel["type"] == "table":
            draw_table(axes, panel, [column["text"] for column in target["columns"]], rows)
        elif panel["type"] == "bargauge":
            draw_bars(axes, panel, rows)
        else:
            series: dict[str, Points] = {}
            for at, name, value in rows:
                point = (datetime.fromisoformat(at), math.nan if value is None else float(value))
                series.setdefault(name, []).append(point)
            draw_lines(axes, panel, series)

    return draw


def kept_busy(service: Service, seconds: float) -> None:
    """Several callers at once, now more, now less."""
    until = time.monotonic() + seconds

    def call(rounds: Iterator[int], pause_s: float) -> None:
        while time.monotonic() < until:
            next(rounds)
            time.sleep(pause_s * (1.5 + math.sin(time.monotonic() / 9)))

    threads = [
        threading.Thread(target=call, args=(busy.rounds(service), pause)) for pause in (0.05, 0.2, 0.4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(seconds: float) -> None:
    """Both boards."""
    with data_place() as place, started(environment(place / "data")) as service:
        service.await_start()
        subprocess.run([*COMMAND, "demo"], env=dict(service.variables), check=True)  # noqa: S603 -- our own
        with plt.rc_context(STYLE), scraping({"shop": service.metrics_url}) as prometheus:
            drawn("incidents", from_service(service), HERE / "incidents-board.png")
            kept_busy(service, seconds)
            drawn(
                "operations",
                from_prometheus(prometheus, time.time() - seconds),
                HERE / "operations-board.png",
            )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 180)
