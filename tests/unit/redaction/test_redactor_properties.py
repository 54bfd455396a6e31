"""What holds for any text and any JSON, whatever secrets stand in it."""

from __future__ import annotations

import string
from itertools import chain

from hypothesis import example, given
from hypothesis import strategies as st

from datastorage.redaction import Finding, JsonValue, Redactor
from datastorage.redaction.json_walk import JsonWalk

REDACTOR = Redactor()
MARKER_CHARS_MAX = 50

# Pieces of which torn, nested and repeated secrets are made more often than of random characters.
FRAGMENTS = [
    "password", "password=", "password: ", '"password": "', '\\"password\\":\\"', "'pwd': '", "--password ",
    "token=", "api_key: ", "secret=", "Authorization: ", "Bearer ", "Basic ", "Cookie: a=", "x://u:", "@",
    "postgres://u:p@h", "AKIA" + "Q7ZT3M5K2P8W4N6R", "sk-" + "aB3dE5gH7jK9mN1pQ2rS", "eyJ" + "hbGciOiJI.eyJzdWIi.x",
    "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----",
    "kind: Secret\n", "data:\n  a: Zm9v\n", "\nkind: Secret", '{"kind":"Secret","data":{"a":"b"}}', "---\n",
    "[REDACTED:password]", "[REDACTED:", "[REDACTED:nobody]", "]", '"', "'", "`", "\\", "\n", " ", ",", ";", "&",
    "=", ":", "|", "[", "{", "}", ")", "hunter2", "null", "is", "${X}", "***", "é", "\ud800", "\x00",
]  # fmt: skip
torn = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=12).map("".join)
anything = torn | st.text(st.characters(), max_size=60)

letters = string.ascii_letters + string.digits


def token(prefix: str, length: int, alphabet: str = letters) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=length, max_size=length).map(prefix.__add__)


# Secrets that stand for themselves, and those that a key announces: what to plant, and what must not survive.
own_form = st.one_of(
    token("AKIA", 16, string.ascii_uppercase + string.digits),
    token("ghp_", 36),
    token("glpat-", 20),
    token("sk-ant-api03-", 40),
    token("sk_live_", 24),
    token("xoxb-", 40),
    token("AIza", 35),
    token("npm_", 36),
    token("SG.", 22).flatmap(lambda start: token(start + ".", 43)),
    token("eyJ", 20)
    .flatmap(lambda start: token(start + ".eyJ", 20))
    .flatmap(lambda start: token(start + ".", 43)),
).map(lambda secret: (secret, secret))
# A letter and a digit, so that it is neither a placeholder nor a word of diagnosis.
hidden_word = st.text(letters + "!#%+*_~-", min_size=4, max_size=20).map(lambda word: f"Zq7{word}9K")
announced = st.builds(
    lambda word, form: (form.replace("§", word), word),
    hidden_word,
    st.sampled_from(
        [
            "password=§", "PGPASSWORD=§", "passwd: §", '"password": "§"', "{'password': '§'}", r"\"password\":\"§\"",
            "--password §", "api_key=§", '"apiKey": "§"', "access_token=§", "client_secret: '§'",
            "aws_secret_access_key=§", "redis://:§@cache/0", "postgres://u:§@db/x", "Authorization: Bearer §",
            "Authorization: Basic §", "Set-Cookie: sid=§", "<password>§</password>", "IDENTIFIED BY '§'",
        ]
    ),
)  # fmt: skip
planted = own_form | announced
delimiters = st.sampled_from([" ", "\n", "\t", " | ", "\n\n"])


@given(anything)
@example('password=" password="x1y2z3"')
@example("pass: 1 pass=hunter2")
def test_a_redacted_text_has_nothing_more_to_hide(text: str) -> None:
    clean, _ = REDACTOR.text(text)
    assert REDACTOR.text(clean) == (clean, ())


@given(anything)
def test_a_text_without_findings_is_the_same_text(text: str) -> None:
    clean, found = REDACTOR.text(text)
    assert bool(found) == (clean != text)


@given(anything)
def test_a_text_grows_by_its_markers_only(text: str) -> None:
    clean, found = REDACTOR.text(text)
    assert len(clean) <= len(text) + MARKER_CHARS_MAX * sum(finding.count for finding in found)
    assert sum(finding.count for finding in found) <= len(text)


@given(anything, delimiters, planted, delimiters, anything)
def test_no_planted_secret_survives(
    before: str, left: str, secret: tuple[str, str], right: str, after: str
) -> None:
    text, hidden = secret
    clean, found = REDACTOR.text(before + left + text + right + after)
    assert hidden not in clean
    assert found


@given(st.lists(planted, min_size=2, max_size=6), delimiters)
def test_none_of_many_planted_secrets_survives(secrets: list[tuple[str, str]], between: str) -> None:
    clean, _ = REDACTOR.text(between.join(text for text, _ in secrets))
    assert [hidden for _, hidden in secrets if hidden in clean] == []


keys = (
    st.sampled_from(["password", "dbPassword", "api_key", "token", "kind", "data", "name", "value", "x"])
    | anything
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | anything | planted.map(lambda p: p[0]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(anything)
def test_the_filter_for_clean_text_misses_no_expression(text: str) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    needed = {i for i, expression in enumerate(REDACTOR._expressions) if any(expression.spans(encoded))}
    assert needed <= set(REDACTOR._filter.Match(encoded, potential=True) or ())


@given(json_values)
def test_the_short_cut_for_clean_json_misses_nothing(value: JsonValue) -> None:
    assert REDACTOR.json(value) == JsonWalk(REDACTOR.text, REDACTOR._markers.is_marker).redacted(value)


@given(json_values)
def test_redacted_json_has_nothing_more_to_hide(value: JsonValue) -> None:
    clean, _ = REDACTOR.json(value)
    assert REDACTOR.json(clean) == (clean, ())


@given(json_values)
def test_json_keeps_its_shape(value: JsonValue) -> None:
    clean, _ = REDACTOR.json(value)
    assert shape(clean) == shape(value)


@given(json_values)
def test_json_without_secrets_is_equal_and_its_input_is_never_changed(value: JsonValue) -> None:
    before = repr(value)
    clean, found = REDACTOR.json(value)
    assert repr(value) == before
    assert found or repr(clean) == before


@given(json_values, planted)
def test_no_secret_survives_in_json(value: JsonValue, secret: tuple[str, str]) -> None:
    text, hidden = secret
    clean, _ = REDACTOR.json({"note": [value, {"deep": text}], text: 1})
    assert [string for string in strings(clean) if hidden in string] == []


def shape(value: JsonValue) -> object:
    """Sizes and nesting; keys count, their text does not (a secret in a key is hidden too)."""
    if isinstance(value, dict):
        return [shape(member) for member in value.values()]
    if isinstance(value, list):
        return (len(value), *(shape(item) for item in value))
    return "scalar"


def strings(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [*value, *chain.from_iterable(strings(member) for member in value.values())]
    if isinstance(value, list):
        return list(chain.from_iterable(strings(item) for item in value))
    return [value] if isinstance(value, str) else []


@given(st.lists(own_form, min_size=1, max_size=5))
def test_every_planted_secret_is_counted(secrets: list[tuple[str, str]]) -> None:
    _, found = REDACTOR.text(" ".join(text for text, _ in secrets))
    assert sum(finding.count for finding in found) == len(secrets)
    assert all(isinstance(finding, Finding) for finding in found)
