"""JSON: below a key that announces a secret every scalar is hidden, elsewhere strings are read as text."""

from __future__ import annotations

import pytest

from datastorage.redaction import Finding, JsonValue, Redactor

REDACTOR = Redactor()
KEY_ID = "AKIA" + "Q7ZT3M5K2P8W4N6R"
OTHER_KEY_ID = "ASIA" + "R6N4W8P2K5M3TZ7Q"
PASSWORD = "[REDACTED:json_password]"


@pytest.mark.parametrize(
    ("value", "clean", "pattern"),
    [
        ({"db": {"password": "x"}}, {"db": {"password": PASSWORD}}, "json_password"),
        ({"dbPassword": 12345}, {"dbPassword": PASSWORD}, "json_password"),
        ({"passwd": 1.5}, {"passwd": PASSWORD}, "json_password"),
        ({"DB_PWD": "x"}, {"DB_PWD": PASSWORD}, "json_password"),
        ({"apiKey": "abc"}, {"apiKey": "[REDACTED:api_key]"}, "api_key"),
        ({"client_secret": "abc"}, {"client_secret": "[REDACTED:client_secret]"}, "client_secret"),
        ({"accessToken": "abc"}, {"accessToken": "[REDACTED:auth_token]"}, "auth_token"),
        ({"aws-secret-access-key": "a"}, {"aws-secret-access-key": "[REDACTED:aws_secret_access_key]"}, "aws_secret_access_key"),
        ({"private_key": "abc"}, {"private_key": "[REDACTED:client_secret]"}, "client_secret"),
        ({"token": "ab12cd34ef"}, {"token": "[REDACTED:auth_token]"}, "auth_token"),
        ({"secret": "S3cr3t-V4lue"}, {"secret": "[REDACTED:client_secret]"}, "client_secret"),
        ({"authorization": "Bearer abcd1"}, {"authorization": "Bearer [REDACTED:bearer_token]"}, "bearer_token"),
        ({"Cookie": "a=b; c=d"}, {"Cookie": "[REDACTED:cookie]"}, "cookie"),
        ({"auths": {"r": {"auth": "Ym9iOnB3"}}}, {"auths": {"r": {"auth": "[REDACTED:docker_auth]"}}}, "docker_auth"),
        (["x", [f"id {KEY_ID}"]], ["x", ["id [REDACTED:aws_access_key_id]"]], "aws_access_key_id"),
        ({"password": KEY_ID}, {"password": "[REDACTED:aws_access_key_id]"}, "aws_access_key_id"),
        ({"password": f"see {KEY_ID} there"}, {"password": PASSWORD}, "json_password"),
        ({"note": '{"password": "x"}'}, {"note": '{"password": "' + PASSWORD + '"}'}, "json_password"),
        (
            {"env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_HOST", "value": "db"}]},
            {"env": [{"name": "DB_PASSWORD", "value": PASSWORD}, {"name": "DB_HOST", "value": "db"}]},
            "json_password",
        ),
        (
            {"kind": "Secret", "metadata": {"name": "db"}, "data": {"url": "Zm9v"}},
            {"kind": "Secret", "metadata": {"name": "db"}, "data": {"url": "[REDACTED:kubernetes_secret]"}},
            "kubernetes_secret",
        ),
        (
            {"type": "service_account", "private_key": "abc"},
            {"type": "service_account", "private_key": "[REDACTED:gcp_service_account_key]"},
            "gcp_service_account_key",
        ),
        ("password=x", "password=[REDACTED:password]", "password"),
    ],
)  # fmt: skip
def test_hides_the_secret_and_keeps_the_rest(value: JsonValue, clean: JsonValue, pattern: str) -> None:
    assert REDACTOR.json(value) == (clean, (Finding(pattern, 1),))
    assert REDACTOR.json(clean) == (clean, ())


@pytest.mark.parametrize(
    "value",
    [
        {"password": "", "passwd": None, "usePassword": True, "pwd": "  "},
        {"password": "${DB_PASSWORD}", "api_key": "***", "client_secret": "null"},
        {"password": {"valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}},
        {"passwordHint": "pet", "passwordLength": 12, "tokens_used": 512, "max_tokens": 1024, "token": 7},
        {"secret": "db-creds", "secretName": "db-creds", "token": "expired", "authorization": "denied"},
        {"kind": "ConfigMap", "data": {"url": "http://x"}},
        {"name": "DB_HOST", "value": "db"},
        {
            "pwd": "/app",
            "private_key": "/etc/tls/tls.key",
            "key": "x",
            "id": "550e8400-e29b-41d4-a716-446655440000",
        },
        [],
        {},
        None,
        3,
        "plain",
    ],
)
def test_leaves_harmless_values_alone(value: JsonValue) -> None:
    assert REDACTOR.json(value) == (value, ())


def test_every_scalar_of_a_list_below_a_secret_key_is_hidden() -> None:
    clean, found = REDACTOR.json({"passwords": ["a", 1, ["b"], None, True, {"user": "bob"}]})
    assert clean == {"passwords": [PASSWORD, PASSWORD, [PASSWORD], None, True, {"user": "bob"}]}
    assert found == (Finding("json_password", 3),)


def test_counts_add_up_over_the_whole_value() -> None:
    _, found = REDACTOR.json({"a": {"password": "x"}, "b": [{"password": "y"}, f"{KEY_ID} {KEY_ID}"]})
    assert found == (Finding("aws_access_key_id", 2), Finding("json_password", 2))


def test_keys_that_held_secrets_stay_apart_and_in_order() -> None:
    taken = "[REDACTED:aws_access_key_id]"
    clean, found = REDACTOR.json({"first": 0, KEY_ID: 1, OTHER_KEY_ID: 2, taken: 3, "last": 4})
    assert list(clean.items()) == [
        ("first", 0),
        (f"{taken} 2", 1),
        (f"{taken} 3", 2),
        (taken, 3),
        ("last", 4),
    ]
    assert found == (Finding("aws_access_key_id", 2),)
    assert REDACTOR.json(clean) == (clean, ())


def test_the_input_is_left_as_it_was() -> None:
    value: JsonValue = {"db": {"password": "x", "ports": [1, 2]}}
    REDACTOR.json(value)
    assert value == {"db": {"password": "x", "ports": [1, 2]}}


def test_depth_is_no_danger() -> None:
    value: JsonValue = {"password": "x"}
    for _ in range(20_000):
        value = [value]
    clean, found = REDACTOR.json(value)
    while isinstance(clean, list):
        clean = clean[0]
    assert clean == {"password": PASSWORD}
    assert found == (Finding("json_password", 1),)
