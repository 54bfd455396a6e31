"""What the boards are made of: panels with their queries, by Grafana's own types. Read by `operations` and `incidents`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
INFINITY: Final = DataSourceRef(type_val="yesoreyeram-infinity-datasource", uid="${datasource}")
SCOPE: Final = 'namespace=~"$namespace",instance=~"$instance"'
UNITS: Final = {"successRate": "percentunit", "recurrenceRate": "percentunit", "p95DurationMs": "ms"}
GREEN, ORANGE, RED = "green", "orange", "red"
TIMES: Final = (
    {"selector": "time", "type": "timestamp"},
    {"selector": "series"},
    {"selector": "value", "type": "number"},
)

Query = Builder[Dataquery]
Panel = Any  # the builders of panels have no common type


def promql(expr: str, legend: str = "", *, at_once: bool = False) -> Query:
    """A query of Prometheus; `$on` stands for the chosen namespaces and instances."""
    query = prometheus.Dataquery().expr(expr.replace("$on", SCOPE)).legend_format(legend or "__auto")
    return query.instant() if at_once else query.range()


class GraphQL(Builder[Dataquery]):
    """A query of the service's own API through Infinity, whose data source has its address."""

    def __init__(
        self, document: str, root: str, columns: Sequence[dict[str, str]], *, over_time: bool = False
    ) -> None:
        self._document, self._root, self._columns = " ".join(document.split()), root, columns
        self._format = "timeseries" if over_time else "table"

    def build(self) -> Dataquery:
        """As the plugin keeps it."""
        return UnknownDataquery(
            {
                "refId": "A",
                "datasource": INFINITY,
                **infinity(self._document, self._root, self._columns),
                "format": self._format,
            }
        )


def infinity(document: str, root: str, columns: Sequence[dict[str, str]]) -> dict[str, Any]:
    """What Infinity needs to know of a GraphQL query."""
    return {
        "type": "graphql",
        "source": "url",
        "parser": "backend",
        "url": "/graphql",
        "url_options": {"method": "POST", "data": "", "body_type": "graphql", "body_graphql_query": document},
        "root_selector": root,
        "columns": [{"text": column["selector"], "type": "string", **column} for column in columns],
        "filters": [],
    }


def lines(
    title: str,
    about: str,
    unit: str,
    *queries: Query,
    stacked: bool = False,
    maximum: float | None = None,
    limit: float | None = None,
) -> Panel:
    """Values over time; `limit` is where an alert begins."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(25 if stacked else 8)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .span(8)
        .height(8)
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if maximum is not None:
        panel.max(maximum)
    if limit is not None:
        panel.thresholds(thresholds((None, GREEN), (limit, RED)))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED))
    return _asked(panel, queries)


def figure(title: str, about: str, unit: str, query: Query, *steps: tuple[float | None, str]) -> Panel:
    """One value as it is now; its colour changes at the steps."""
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .unit(unit)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.BACKGROUND if steps else BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .span(3)
        .height(4)
    )
    from_below = () if steps and steps[0][0] is None else ((None, GREEN),)
    panel.thresholds(thresholds(*from_below, *steps))
    return _asked(panel, [query])


def rows(title: str, about: str, query: Query) -> Panel:
    """A table."""
    panel = table.Panel().title(title).description(about).show_header(True).span(12).height(9)
    for column, unit in UNITS.items():
        panel.override_by_name(column, [DynamicConfigValue(id_val="unit", value=unit)])
    return _asked(panel, [query])


def bars(title: str, about: str, unit: str, *queries: Query) -> Panel:
    """Values side by side."""
    panel = bargauge.Panel().title(title).description(about).unit(unit).min(0).span(8).height(8)
    panel.reduce_options(common.ReduceDataOptions().values(True))
    return _asked(panel, queries)


def chosen(variable: dashboard.QueryVariable) -> dashboard.QueryVariable:
    """A choice of several values, all of them to begin with, that are asked for whenever the board is opened."""
    everything = VariableOption(selected=True, text="All", value="$__all")
    variable.multi(True).include_all(True).current(everything)
    return variable.refresh(VariableRefresh.ON_DASHBOARD_LOAD)


def thresholds(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colours from a value on."""
    built = [Threshold(value=value, color=color) for value, color in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(built)


def _asked(panel: Panel, queries: Sequence[Query]) -> Panel:
    is_graphql = isinstance(queries[0], GraphQL)
    panel.datasource(INFINITY if is_graphql else PROMETHEUS)
    for number, query in enumerate(queries):
        panel.with_target(query if is_graphql else query.ref_id(chr(ord("A") + number)))
    return panel
