"""Requests that are broken: JSON, UTF-8, numbers, types of content; and good ones of which bytes were changed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Final

from support.attacks.checklist import BATCH, LIST
from support.attacks.witness import Case
from support.records import remediation_input

BODIES: Final = {
    "nothing": b"",
    "no JSON": b"query",
    "half of it": b'{"query": "{ __typename }"',
    "more than it": b'{"query": "{ __typename }"} {}',
    "a comma too many": b'{"query": "{ __typename }",}',
    "single quotes": b"{'query': '{ __typename }'}",
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "a number without end": b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 100_000 + b"}}",
    "an exponent without end": b'{"query": "{ __typename }", "variables": {"a": 1e' + b"9" * 1_000 + b"}}",
    "a byte order mark": b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "Latin-1": b'{"query": "{ \xe9 }"}',
    "half of a character": b'{"query": "{ __typename } #\xf0\x9f\x98"}',
    "an overlong character": b'{"query": "{ __typename } #\xc0\xaf"}',
    "a surrogate in bytes": b'{"query": "{ __typename } #\xed\xa0\x80"}',
    "a lone surrogate": b'{"query": "{ __typename } #\\ud800"}',
    "a lone surrogate in a variable": b'{"query": "{ __typename }", "variables": {"a": "\\udfff"}}',
    "NUL": b'{"query": "{ __typename }\x00"}',
    "NUL escaped": b'{"query": "{ __typename \\u0000 }"}',
    "the same key twice": b'{"query": "{ __typename }", "query": "{ nothing }"}',
    "keys without number": json.dumps({f"k{number}": 1 for number in range(100_000)}).encode(),
    "lists in lists": b"[" * 100_000,
    "objects in objects": b'{"query":' * 100_000,
    "variables that are none": b'{"query": "{ __typename }", "variables": [1]}',
    "variables as text": b'{"query": "{ __typename }", "variables": "{}"}',
    "extensions as text": b'{"query": "{ __typename }", "extensions": "x"}',
    "a name that is none": b'{"query": "{ __typename }", "operationName": {"a": 1}}',
    "a hash that is none": b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": {"a": 1}}}}',
    "a hash of nothing": b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "'
    + b"0" * 64
    + b'"}}}',
    "a document's id that is none": b'{"documentId": ["a"]}',
    "a document's id that is long": b'{"documentId": "' + b"a" * 100_000 + b'"}',
}
CONTENT_TYPES: Final = [
    "application/json; charset=utf-7", "application/json; charset", "application/json;;;", "application/JSON+x",
    "text/xml", "*/*", "application/json\tx", "a" * 10_000,
]  # fmt: skip
PARAMETERS: Final = [
    {}, {"query": ""}, {"query": "{"}, {"query": "{ __typename }", "variables": "x"},
    {"query": "{ __typename }", "variables": "[" * 5_000}, {"query": "{ __typename }", "operationName": "\x00"},
    {"query": "mutation { a }"}, {"query": "{ __typename }", "extensions": "1"}, {"variables": "{}"},
    {"query": "query { __typename }\ud83d".encode("utf-8", "surrogatepass").decode("latin-1")},
]  # fmt: skip


def malformed_cases(number: int, seed: int = 7) -> Iterator[Case]:
    """All that is written here, and so many bodies with bytes changed."""
    for label, body in BODIES.items():
        yield Case(label, body)
    for content_type in CONTENT_TYPES:
        yield Case(f"content type {content_type:.30}", b'{"query": "{ __typename }"}', content_type)
    for parameters in PARAMETERS:
        yield Case(f"parameters {parameters!r:.60}", method="GET", content_type=None, params=parameters)
    yield from changed(number, random.Random(seed))


def changed(number: int, chance: random.Random) -> Iterator[Case]:
    """Good bodies of which some bytes were replaced, removed or repeated."""
    good = [
        json.dumps(
            {"query": LIST, "variables": {"filter": {"name": {"eq": "a"}, "durationMs": {"gt": 1}}}}
        ).encode(),
        json.dumps(
            {"query": BATCH, "variables": {"inputs": [remediation_input(metadata={"a": [1, "b"]})]}}
        ).encode(),
    ]
    for turn in range(number):
        body = bytearray(chance.choice(good))
        for _ in range(chance.choice((1, 1, 2, 5))):
            place = chance.randrange(len(body))
            match chance.randrange(3):
                case 0:
                    body[place] = chance.randrange(256)
                case 1:
                    del body[place : place + chance.randrange(1, 20)]
                case _:
                    body[place:place] = body[place : place + chance.randrange(1, 20)] * chance.randrange(1, 5)
        yield Case(f"changed {turn}: {bytes(body)!r:.400}", bytes(body))
