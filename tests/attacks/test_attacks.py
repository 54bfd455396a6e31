"""What attackers send is refused for what it is: no 5xx, no fault that nobody expected, nothing of the inside told.

`make attack` sends much more of it, and has other people's tools attack as well.
"""

from pathlib import Path

import asyncpg
import pytest
from graphql import build_schema
from sqlalchemy.engine import URL

from support.attacks.checklist import checklist
from support.attacks.faults import faults
from support.attacks.hostile import hostile_cases
from support.attacks.malformed import malformed_cases
from support.attacks.places import places
from support.attacks.witness import Figures, Witness
from support.postgres import connect

SCHEMA = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text())


async def test_what_is_on_checklists_is_refused_for_what_it_is(witness: Witness) -> None:
    figures, otherwise = Figures("checklists"), {}
    for code, case in checklist():
        answered = await witness.asked(case, figures)
        codes = set(answered.codes) if answered else None
        if codes != ({code} if code else set()):
            otherwise[case.label] = (codes, code)

    assert otherwise == {}
    assert figures.flawless, figures
    assert figures.cases > 60


async def test_broken_requests_are_told_so(witness: Witness) -> None:
    figures = await witness.saw("malformed", malformed_cases(300))

    assert figures.flawless, figures
    assert figures.cases > 300


async def test_hostile_values_do_no_harm_wherever_they_are_put(witness: Witness, attacked_url: URL) -> None:
    async def tables(sql: asyncpg.Connection) -> list[str]:
        rows = await sql.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [row["tablename"] for row in rows]

    sql = await connect(attacked_url)
    before = await tables(sql)

    figures = await witness.saw("hostile", hostile_cases(SCHEMA, 500))

    assert figures.flawless, figures
    assert await tables(sql) == before
    await sql.close()


def test_every_argument_of_every_root_field_is_attacked() -> None:
    assert SCHEMA.query_type is not None
    assert SCHEMA.mutation_type is not None
    roots = {**SCHEMA.query_type.fields, **SCHEMA.mutation_type.fields}

    assert {(place.field, place.argument) for place in places(SCHEMA)} == {
        (name, argument) for name, field in roots.items() for argument in field.args
    }


@pytest.mark.parametrize(
    "told",
    [
        'Traceback (most recent call last):\n  File "/app/x.py", line 1',
        'relation "remediation_audit" does not exist',
        "SELECT name FROM remediation_audit WHERE id = $1::text",
        "could not connect to postgresql://db:5432/app",
        "<datastorage.web.Thing object at 0x7f00>",
    ],
)
def test_a_leak_would_be_noticed(told: str) -> None:
    assert faults(200, told) == ["leaks"]
