from hashlib import sha256
from itertools import permutations

import pytest

from datastorage.limits import EMBEDDED_CHARS_MAX
from datastorage.search import content_hash, embedded_text, query_text


def text_of(
    *,
    action_type: str = "restart_pod",
    target_kind: str = "Deployment",
    headline: str = "Payment API is down",
    error_message: str | None = None,
    root_causes: tuple[str, ...] = (),
    resolution: str | None = None,
) -> str:
    return embedded_text(
        action_type=action_type,
        target_kind=target_kind,
        headline=headline,
        error_message=error_message,
        root_causes=root_causes,
        resolution=resolution,
    )


def test_an_incident_is_three_lines_headline_account_and_circumstances() -> None:
    text = text_of(
        headline="Payment API is down",
        error_message="OOMKilled, exit code 137\nin pod payment-api-7d9f8b6c5d-x2x4z",
        root_causes=("heap of 2Gi is too small",),
        resolution="raised the memory limit\n",
    )

    assert text == (
        "Payment API is down\n"
        "OOMKilled, exit code 137 in pod payment-api-# heap of # is too small raised the memory limit\n"
        "restart_pod Deployment"
    )


def test_an_incident_without_an_account_keeps_the_place_of_its_lines() -> None:
    assert text_of() == "Payment API is down\n\nrestart_pod Deployment"


def test_a_headline_of_several_lines_is_put_on_one() -> None:
    assert text_of(headline="Payment API\nis down") == "Payment API is down\n\nrestart_pod Deployment"


def test_the_order_in_which_analyses_arrive_makes_no_difference() -> None:
    causes = ("leak in the cache", "limit too low", "noisy neighbour on node-3", "limit too low")

    texts = {text_of(root_causes=order) for order in permutations(causes)}

    account = "leak in the cache limit too low noisy neighbour on node-#"
    assert texts == {f"Payment API is down\n{account}\nrestart_pod Deployment"}


def test_two_occurrences_of_one_failure_have_one_hash() -> None:
    one = text_of(headline="db-0 is down", error_message="10.0.0.1:5432 refused at 10:22:31")
    other = text_of(headline="db-2 is down", error_message="10.9.9.9:5432 refused at 23:01:07")

    assert content_hash(one) == content_hash(other)


@pytest.mark.parametrize(
    "other",
    [
        text_of(action_type="scale_up"),
        text_of(target_kind="StatefulSet"),
        text_of(headline="Order API is down"),
        text_of(error_message="OOMKilled"),
        text_of(root_causes=("limit too low",)),
        text_of(resolution="raised the limit"),
    ],
)
def test_each_field_changes_the_hash(other: str) -> None:
    assert content_hash(other) != content_hash(text_of())


def test_what_is_too_long_loses_the_end_of_its_account() -> None:
    text = text_of(error_message="disk full " * 2_000, resolution="z")

    headline, account, circumstances = text.split("\n")
    assert len(text) == EMBEDDED_CHARS_MAX
    assert (headline, circumstances) == ("Payment API is down", "restart_pod Deployment")
    assert account == ("disk full " * 2_000)[: len(account)]


def test_a_headline_that_fills_everything_still_leaves_the_circumstances() -> None:
    text = text_of(headline="down " * 10_000, error_message="OOMKilled")

    assert len(text) == EMBEDDED_CHARS_MAX
    assert text.split("\n")[1:] == ["", "restart_pod Deployment"]


def test_a_question_is_masked_like_an_incident() -> None:
    assert (
        query_text(" pod web-0 is down\n\nat 10:22:31\n  exit code 137")
        == "pod web-# is down\nat # exit code 137"
    )


def test_a_question_of_one_line_is_just_its_headline() -> None:
    assert query_text("disk full on node-3\n") == "disk full on node-#"


def test_a_question_is_bounded() -> None:
    assert len(query_text("down\n" + "disk full " * 7_000)) == EMBEDDED_CHARS_MAX


def test_a_blank_question_stays_blank() -> None:
    assert query_text(" \n\t ") == ""


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    text = text_of(headline="disk \ud83d full")

    assert text == "disk ? full\n\nrestart_pod Deployment"
    assert query_text("disk \ud83d full") == "disk ? full"


def test_the_hash_is_the_sha_256_of_the_utf_8() -> None:
    assert content_hash("Größe 满") == sha256("Größe 满".encode()).digest()
    assert len(content_hash("")) == 32
