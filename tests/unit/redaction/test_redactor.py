"""The redactor as a whole: which name wins, how often, patterns of the operator's own, and hostile texts."""

from __future__ import annotations

import pytest

from datastorage.errors import SettingsError
from datastorage.redaction import Finding, Redactor

REDACTOR = Redactor()
KEY_ID = "AKIA" + "Q7ZT3M5K2P8W4N6R"
GITHUB = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zaB3dE"


def test_clean_text_is_returned_as_the_same_object() -> None:
    text = "pod web-7d9f8b6c5d-x2x4v was OOMKilled"
    assert REDACTOR.text(text)[0] is text


def test_counts_every_secret_by_pattern_in_order_of_the_names() -> None:
    text = f"password=a1 token {GITHUB} password=b2 {KEY_ID}, {KEY_ID} {KEY_ID}"
    assert REDACTOR.text(text)[1] == (
        Finding("aws_access_key_id", 3),
        Finding("github_token", 1),
        Finding("password", 2),
    )


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"password={KEY_ID}", "password=[REDACTED:aws_access_key_id]"),
        (f'{{"api_key": "{GITHUB}"}}', '{"api_key": "[REDACTED:github_token]"}'),
        (f"password=x-{KEY_ID}-y", "password=[REDACTED:aws_access_key_id]"),
        ("password=https://u:pw@h/tail", "password=[REDACTED:url_credentials]"),
    ],
)
def test_the_most_specific_name_wins_and_no_tail_is_left(text: str, clean: str) -> None:
    assert REDACTOR.text(text)[0] == clean


def test_a_value_that_quotes_another_key_hides_both_values() -> None:
    clean, _ = REDACTOR.text('password="cut password="hunter2" next')
    assert clean == 'password="[REDACTED:password]"[REDACTED:password]" next'


def test_a_marker_of_a_pattern_no_longer_known_is_hidden_again_where_a_secret_stands() -> None:
    text = "[REDACTED:retired] password=[REDACTED:jwt] pwd=[REDACTED:retired]"
    assert REDACTOR.text(text) == (
        "[REDACTED:retired] password=[REDACTED:jwt] pwd=[REDACTED:password]",
        (Finding("password", 1),),
    )


def test_a_secret_beside_a_marker_takes_the_marker_in() -> None:
    assert REDACTOR.text("password=[REDACTED:jwt]tail")[0] == "password=[REDACTED:password]"


def test_several_documents_hide_only_the_data_of_secrets() -> None:
    text = (
        "kind: Secret\ndata:\n  a: Zm9v\n  b: |\n    YmFy\n    YmF6\n  c: ''\ntype: Opaque\n"
        "---\nkind: ConfigMap\ndata:\n  a: shown\n"
    )
    clean, found = REDACTOR.text(text)
    assert clean == (
        "kind: Secret\ndata:\n  a: [REDACTED:kubernetes_secret]\n  b: |\n    [REDACTED:kubernetes_secret]\n"
        "    [REDACTED:kubernetes_secret]\n  c: ''\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  a: shown\n"
    )
    assert found == (Finding("kubernetes_secret", 3),)


def test_a_cut_off_key_ends_where_the_next_block_begins() -> None:
    dashes = "-" * 5
    text = f"{dashes}BEGIN PRIVATE KEY{dashes}\nMIIE\n{dashes}BEGIN PUBLIC KEY{dashes}\nMIIB\n{dashes}END PUBLIC KEY{dashes}"
    clean, found = REDACTOR.text(text)
    assert (
        clean
        == f"[REDACTED:private_key]\n{dashes}BEGIN PUBLIC KEY{dashes}\nMIIB\n{dashes}END PUBLIC KEY{dashes}"
    )
    assert found == (Finding("private_key", 1),)


def test_lone_surrogates_and_nul_pass_through_unharmed() -> None:
    assert (
        REDACTOR.text("\ud800\x00 password=h\ud800x \udfff")[0]
        == "\ud800\x00 password=[REDACTED:password] \udfff"
    )


def test_no_builtin_expression_runs_on_a_text_that_holds_none_of_its_literals() -> None:
    # This is what makes clean text cheap: a new pattern without a literal of three bytes would break it.
    assert REDACTOR._filter.Match(b"", potential=True) is None


@pytest.mark.parametrize(
    "unit",
    [
        "password=", "password=a,", '{"password": "', '\\"password\\":\\"', "'pwd':'", "pwd=/", "api_key=a,",
        "JWT_SECRET:a,", "token=a.", "x://a:b@", "x://a:", "eyJ", "eyJaaaaaaaa.", "Bearer ", "Cookie: a=b;",
        "-----BEGIN RSA PRIVATE KEY-----", "kind: Secret\ndata:\n  a: b\n", "kind:Secret data:{", "mysql -", "sk-a-",
        'service_account"', "1714560000:AA", "--password ", "password value: ", "[REDACTED:password]", "<password>",
    ],
)  # fmt: skip
def test_hostile_repetition_is_answered(unit: str) -> None:
    # Written to be read again from every key; a pattern that is not linear does not come back in the test's time.
    text = (unit * 200_000)[:200_000]
    clean, _ = REDACTOR.text(text)
    assert REDACTOR.text(clean) == (clean, ())


def test_custom_patterns_are_named_and_come_before_the_builtin_ones() -> None:
    redactor = Redactor({"acme_token": r"acme-[0-9]{6}", "ticket-pin": r"PIN (?P<secret>\d{4})"})
    clean, found = redactor.text("token=acme-123456 PIN 0000")
    assert clean == "token=[REDACTED:acme_token] PIN [REDACTED:ticket-pin]"
    assert found == (Finding("acme_token", 1), Finding("ticket-pin", 1))


def test_custom_patterns_may_spare_a_form() -> None:
    redactor = Redactor({"pin": r"PIN (?:(?P<spare>0000)|\d{4})"})
    assert redactor.text("PIN 0000, PIN 1234")[0] == "PIN 0000, [REDACTED:pin]"


def test_every_bad_custom_pattern_is_named_in_one_message() -> None:
    with pytest.raises(SettingsError) as refused:
        Redactor(
            {
                "broken": "(",
                "Bad Name": "x+",
                "password": "x+",
                "idle": "x*",
                "half": r"x\C",
                "lone": "\ud800",
                "fine": r"\\Cx+",
            }
        )
    assert str(refused.value) == (
        "redaction pattern 'broken': no RE2 expression: missing ): (; "
        "redaction pattern 'Bad Name': a name is a lower-case letter, then up to 39 of a-z, 0-9, _ and -; "
        "redaction pattern 'password': this name belongs to a built-in pattern; "
        "redaction pattern 'idle': it matches the empty text, so it would match everywhere; "
        "redaction pattern 'half': \\C matches a part of a character, which no text can hold; "
        "redaction pattern 'lone': it holds half a surrogate pair, which no text can hold"
    )


def test_a_custom_pattern_that_never_settles_hides_the_whole_text() -> None:
    # `\ba` finds the next `a` only once the one before it is gone.
    redactor = Redactor({"greedy": r"\ba"})
    clean, found = redactor.text("a" * 50)
    assert clean == "[REDACTED:greedy]"
    assert redactor.text(clean) == (clean, ())
    assert found == (Finding("greedy", 9),)


def test_a_custom_pattern_that_matches_markers_changes_nothing() -> None:
    redactor = Redactor({"meta": r"REDACTED"})
    assert redactor.text("[REDACTED:meta] and [REDACTED:jwt]") == ("[REDACTED:meta] and [REDACTED:jwt]", ())
