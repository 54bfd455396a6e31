"""Signatures: the same fault gives the same one, whatever pod, port or line it came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.limits import SIGNATURES_MAX
from datastorage.search.signatures import MARK, signatures

STACK = """java.lang.NullPointerException: order {number}
    at shop.Order.total(Order.java:{number})
    at shop.Cart.sum(Cart.java:7)
    at shop.Checkout.pay(Checkout.java:99)
"""


def test_two_occurrences_share_their_signatures() -> None:
    once = signatures("dial tcp 10.0.0.1:5432: connection refused by api-7f9c4d5b6-x2x4z")
    again = signatures("dial tcp 10.9.8.7:5432: connection refused by api-5c6d7f8b9-q8z2w")

    assert once == again
    assert len(once) == 1


def test_a_stack_is_known_by_three_frames_in_a_row() -> None:
    once, again = signatures(STACK.format(number=42)), signatures(STACK.format(number=7))

    assert once == again
    assert once[1] == f"{MARK}shop.Order.total|shop.Cart.sum|shop.Checkout.pay"


def test_frames_of_python_are_known_by_their_functions() -> None:
    text = "\n".join(f'  File "/app/a.py", line {n}, in step_{n}' for n in range(3))

    assert signatures(text) == [f"{MARK}step_0|step_1|step_2"]


@pytest.mark.parametrize("text", ["", "all is well", "error", "at home (yes)", "Error: 12"])
def test_what_tells_no_fault_has_none(text: str) -> None:
    assert signatures(text) == []


@given(st.text())
def test_signatures_are_few_and_no_word_is_one(text: str) -> None:
    found = signatures(text)

    assert len(found) == len(set(found)) <= SIGNATURES_MAX
    assert all(one.startswith(MARK) for one in found)
