from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.errors import FaultReason
from datastorage.redaction import looks_like_attack


@pytest.mark.parametrize(
    "value",
    [
        "<script>alert('x')</script>",
        "<SCRIPT SRC=//x>",
        "< / script>",
        "%3Cscript%3E",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "JaVaScRiPt :x",
        "x onerror=alert(1)",
        'img" onLoad = "x',
        "<img src=x>",
        "<svg/onload=x>",
    ],
)
def test_names_script_injection(value: str) -> None:
    assert looks_like_attack(value) is FaultReason.XSS_DETECTED


@pytest.mark.parametrize(
    "value",
    [
        "x'; DROP TABLE remediation_audit",
        'x" OR "1"="1',
        "name--",
        "name/*comment*/",
        "a;b",
        "1 UNION SELECT password",
        "1 union  all\nselect 1",
    ],
)
def test_names_sql_injection(value: str) -> None:
    assert looks_like_attack(value) is FaultReason.SQL_INJECTION_DETECTED


@pytest.mark.parametrize(
    "value",
    [
        "",
        "My Pod",
        "pod_1",
        "ümlaut",
        "union-station",
        "on-call = x",
        "description",
        "a<b",
        "java script",
        "x=1",
    ],
)
def test_names_nothing_where_the_grammar_alone_was_broken(value: str) -> None:
    assert looks_like_attack(value) is None


@given(st.text(st.characters()))
def test_answers_for_any_text(value: str) -> None:
    assert looks_like_attack(value) in (None, FaultReason.XSS_DETECTED, FaultReason.SQL_INJECTION_DETECTED)
