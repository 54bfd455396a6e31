"""Values that break programs, by what the place wants; each is put into every place, whatever it wants, now and then."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from graphql import GraphQLSchema

from support.attacks.places import Place, places
from support.attacks.witness import Case

SQL: Final = [
    "'; DROP TABLE remediation_audits; --",
    "' OR '1'='1",
    "1); SELECT pg_sleep(60); --",
    "' UNION SELECT usename, passwd FROM pg_shadow --",
    "\\'; COPY x TO PROGRAM 'id'; --",
    "x%' ESCAPE '!",
    "$$; SELECT 1; $$",
    ":name %(name)s {name} %s ?",
]
XSS: Final = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "{{7*7}} ${7*7} <%= 7*7 %>",
]
STRINGS: Final = [
    *SQL,
    *XSS,
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x01\x1b[31m\x7f\x80\x9f",
    "\ud83d\ude00" * 100,
    "\u202eevil\u202c\ufeff\u200b",
    "a\u0301" * 500,
    "\uffff\ufffe",
    "\U0010ffff",
    "%00%0a%0d",
    "\r\nset-cookie: x=1",
    "../../etc/shadow",
    "%s%n%x",
    "a" * 100_000,
    "(" * 5_000,
    "a b " * 20_000,
    "\\" * 1_000,
    "AA==",
    "eyJhIjoxfQ==",
    "UmVtZWRpYXRpb25BdWRpdDo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "UmVtZWRpYXRpb25BdWRpdDotMQ==",
    "Tm90aGluZzox",
    "AdQrFWprhf5iWyIyMDI2LTExLTIwVDAyOjI2OjIzLjg1OTAwMCswMDowMCIsMTc3XQ",
]
NUMBERS: Final = [
    0, -1, -0.0, 0.1, 1e-320, 1e308, -1e308, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1,
    2**64 - 1, "1", "NaN", "Infinity", "-0", "1e5", "0x10", "\u0663", "1_000", "9" * 400,
]  # fmt: skip
TIMES: Final = [
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-06-30T23:59:60Z", "2026-01-01",
    "2026-W01-1T00:00:00Z", "infinity", "now", "1e10", 0, 2**62, "2026-01-01T00:00:00+99:99", "-4713-11-24T00:00:00Z",
    "\uff12\uff10\uff12\uff16-01-01T00:00:00Z",
]  # fmt: skip


def nested(depth: int, *, in_lists: bool = False) -> Any:
    """So many levels of objects, or lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value] if in_lists else {"a": value}
    return value


JSON: Final[list[Any]] = [
    nested(11),
    nested(200),
    nested(200, in_lists=True),
    {f"k{number}": number for number in range(20_000)},
    {"a": "x" * 70_000},
    {"a\x00": 1},
    {"a": "\x00"},
    {"": {"": ""}},
    {"a" * 10_000: 1},
    {"a": [1e308, -1e308, 2**64 - 1, 1e-320]},
    {"__proto__": {"a": 1}, "$where": "1"},
    [[]] * 10_000,
    {"a": None},
    "text",
    None,
]
OTHERS: Final[list[Any]] = [None, True, [], [None], {}, {"eq": 1}, [[1]], "NOTHING", 1.5, {"__typename": "x"}]
BY_TYPE: Final[dict[str, Sequence[Any]]] = {
    "String": STRINGS,
    "ID": STRINGS,
    "Int": NUMBERS,
    "BigInt": NUMBERS,
    "Float": NUMBERS,
    "DateTime": TIMES,
    "JSON": [*JSON, *STRINGS, *NUMBERS],
    "JSONObject": JSON,
    "Boolean": ["true", 1],
}


def hostile_cases(schema: GraphQLSchema, number: int | None = None, seed: int = 7) -> Iterator[Case]:
    """So many, spread evenly over the fields and then over their places; or every value in every place."""
    chance, every = random.Random(seed), list(places(schema))
    if number is None:
        for place in every:
            for value in [*BY_TYPE.get(place.type_name, ()), *OTHERS]:
                yield place.with_value(value)
        return
    by_argument: dict[tuple[str, str], list[Place]] = {}
    for place in every:
        by_argument.setdefault((place.field, place.argument), []).append(place)
    arguments = list(by_argument.values())
    for turn in range(number):
        place = chance.choice(arguments[turn % len(arguments)])
        values = BY_TYPE.get(place.type_name, OTHERS) if chance.random() < 0.9 else OTHERS
        yield place.with_value(chance.choice(values))
