"""The filter of the command line: read as a variable of a query would be."""

from datetime import UTC, datetime

import pytest

from datastorage.domain.enums import Phase
from datastorage.domain.filters import EVERYTHING, AllOf, Condition, Filter, JsonContains, Not, Operator
from datastorage.errors import InvalidInput
from datastorage.graphql.filter_json import remediation_filter


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{}", EVERYTHING),
        ('{"phase": {"in": ["FAILED"]}}', Condition("phase", Operator.IN, (Phase.FAILED,))),
        (
            '{"startTime": {"gte": "2026-01-01T01:00:00+01:00"}}',
            Condition("start_time", Operator.GTE, datetime(2026, 1, 1, tzinfo=UTC)),
        ),
        (
            '{"not": {"name": {"eq": "x"}}, "metadata": {"contains": {"demo": true}}}',
            AllOf((Not(Condition("name", Operator.EQ, "x")), JsonContains("metadata", '{"demo":true}'))),
        ),
    ],
)
def test_a_filter_is_what_the_api_makes_of_it(text: str, where: Filter) -> None:
    assert remediation_filter(text) == where


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", ["filter"]),
        ("null", ["filter"]),
        ('["x"]', ["filter"]),
        ('{"name": {"eq": null}}', ["filter"]),
        (
            '{"nam": {"eq": "x"}, "phase": {"eq": "failed"}, "startTime": {"gt": 1}}',
            ["nam", "phase.eq", "startTime.gt"],
        ),
        ('{"or": [{"name": {"equals": "x"}}]}', ["or.name.equals"]),
    ],
)
def test_every_fault_is_named(text: str, fields: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        remediation_filter(text)

    assert sorted(fault.field for fault in refused.value.faults) == fields
