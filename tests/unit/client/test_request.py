"""What is sent, and how answers are read where a server is not needed to tell."""

import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from pydantic import ValidationError

from datastorage.client import (
    IDFilter,
    JSONFilter,
    Phase,
    RemediationAuditFilter,
    StringFilter,
    Unavailable,
    UnexpectedAnswer,
    UpdateRemediationAuditInput,
)
from datastorage.client.answers import data_of
from datastorage.client.request import arguments, body, endpoint


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/graphql"),
        ("http://127.0.0.1:8080/graphql", "http://127.0.0.1:8080/graphql"),
        ("https://host/memory/", "https://host/memory/graphql"),
        ("https://host/memory/graphql/", "https://host/memory/graphql"),
        ("https://host?tenant=a", "https://host/graphql?tenant=a"),
    ],
)
def test_the_address_may_have_the_path_or_not(given: str, asked: str) -> None:
    assert endpoint(given) == asked


@pytest.mark.parametrize("given", ["127.0.0.1:8080", "postgresql://host/db", "http:///graphql", ""])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="not an http or https URL"):
        endpoint(given)


def test_of_an_input_only_what_was_given_is_sent_by_the_names_of_the_api() -> None:
    change = UpdateRemediationAuditInput(
        request_id="rr-1", end_time=datetime(2026, 1, 1, tzinfo=UTC), resolution=None
    )
    wanted = RemediationAuditFilter(not_=RemediationAuditFilter(id=IDFilter(in_=["a"])))

    sent = json.loads(body("{ x }", arguments({"input": change, "filter": [wanted], "first": None})))

    assert sent == {
        "query": "{ x }",
        "variables": {
            "input": {"requestId": "rr-1", "endTime": "2026-01-01T00:00:00Z", "resolution": None},
            "filter": [{"not": {"id": {"in": ["a"]}}}],
        },
    }


def test_a_variable_of_a_document_of_ones_own_may_be_null() -> None:
    sent = json.loads(body("{ x }", {"input": {"resolution": None}, "note": None}))

    assert sent["variables"] == {"input": {"resolution": None}, "note": None}


def test_an_input_is_read_from_json_of_the_api_too() -> None:
    by_alias = RemediationAuditFilter.model_validate({"and": [{"namespace": {"startsWith": "a"}}]})

    assert by_alias == RemediationAuditFilter(
        and_=[RemediationAuditFilter(namespace=StringFilter(starts_with="a"))]
    )
    assert JSONFilter.model_validate({"contains": {"a_b": 1}}).contains == {"a_b": 1}


def test_a_misspelt_field_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValidationError, match="phaze"):
        UpdateRemediationAuditInput.model_validate({"requestId": "rr-1", "phaze": "FAILED"})


def test_an_unknown_value_of_an_enum_equals_its_text() -> None:
    unknown = Phase("VERIFYING")

    assert (unknown, str(unknown), unknown.name, unknown.value) == ("VERIFYING",) * 4
    assert unknown not in list(Phase)
    assert pickle.loads(pickle.dumps(unknown)) == unknown  # noqa: S301 -- our own
    assert Phase("PENDING") is Phase.PENDING
    with pytest.raises(ValueError, match="7"):
        Phase(7)


def wait_s(retry_after: str) -> float | None:
    answer = httpx.Response(
        503, headers={"retry-after": retry_after}, request=httpx.Request("POST", "http://x")
    )
    with pytest.raises(Unavailable) as gone:
        data_of(answer, writes=False)
    return gone.value.retry_after_s


@pytest.mark.parametrize(
    ("given", "read_s"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("", None), ("soon", None), ("inf", None), ("nan", None)],
)
def test_retry_after_is_read_as_seconds(given: str, read_s: float | None) -> None:
    assert wait_s(given) == read_s


def test_retry_after_is_read_as_a_date() -> None:
    hour = datetime.now(UTC) + timedelta(hours=1)

    assert 3500 < wait_s(format_datetime(hour, usegmt=True)) <= 3600
    assert wait_s("Thu, 01 Jan 2015 00:00:00 GMT") == 0.0
    assert wait_s("Thu, 01 Jan 2015 00:00:00 -0000") in {0.0, None}


@pytest.mark.parametrize("errors", ['"down"', '{"reason": "down"}', '["down"]'])
def test_errors_that_are_none_of_graphql_are_an_unexpected_answer(errors: str) -> None:
    answer = httpx.Response(500, content=f'{{"errors": {errors}}}', request=httpx.Request("POST", "http://x"))

    with pytest.raises(UnexpectedAnswer) as told:
        data_of(answer, writes=False)

    assert told.value.status == 500
