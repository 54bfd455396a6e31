"""What is the same to a client."""

import pytest

from datastorage.domain.sameness import same


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        ({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]}),
        (True, True),
        ("x", "x"),
        ([], []),
        ({}, {}),
    ],
)
def test_equal_values_are_the_same(left: object, right: object) -> None:
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, False),
        ({"retry": 1}, {"retry": True}),
        ([0], [False]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1], [1, 2]),
        ("1", 1),
        (None, False),
    ],
)
def test_values_that_json_tells_apart_are_not(left: object, right: object) -> None:
    assert not same(left, right)
    assert not same(right, left)
