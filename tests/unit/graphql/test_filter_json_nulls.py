"""Nulls in a filter of the command line are refused: an empty variable of a script must not select everything."""

import pytest

from datastorage.errors import InvalidInput
from datastorage.graphql.filter_json import remediation_filter


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"namespace": null}', "filter.namespace"),
        ('{"namespace": {"startsWith": null}}', "filter.namespace.startsWith"),
        ('{"or": [{"phase": {"eq": "FAILED"}}, {"name": null}]}', "filter.or.name"),
    ],
)
def test_a_null_is_named(text: str, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        remediation_filter(text)

    assert [fault.field for fault in refused.value.faults] == [place]


def test_json_to_compare_with_may_hold_null() -> None:
    remediation_filter('{"metadata": {"contains": {"note": null}}}')
