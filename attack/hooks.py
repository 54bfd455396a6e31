"""What schemathesis needs to know: how scalars look, and what no answer may hold. Counts it into a file."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from support.attacks.faults import faults

COUNTED = Path(os.environ["ATTACK_COUNTED"])
COUNTS: Counter[str] = Counter()
TROUBLES: list[str] = []

TEXTS = st.one_of(
    st.text(), st.sampled_from(["a\x00b", "'; --", "<script>", "UmVtZWRpYXRpb25BdWRpdDox", "rr-1"])
)
NUMBERS = st.integers(-(2**63) - 1, 2**64).map(nodes.Int)
for scalar, strategy in {
    "DateTime": st.one_of(st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"), TEXTS).map(
        nodes.String
    ),
    "BigInt": NUMBERS,
    "JSON": st.one_of(
        TEXTS.map(nodes.String), NUMBERS, st.booleans().map(nodes.Boolean), st.just(nodes.Null)
    ),
    "JSONObject": st.one_of(st.just(nodes.Object([])), TEXTS.map(nodes.String)),
}.items():
    schemathesis.graphql.scalar(scalar, strategy)


@schemathesis.check
def nothing_goes_wrong(_: Any, response: Any, case: Any) -> None:
    """No 5xx, no fault that nobody expected, nothing of the inside, in time."""
    found = faults(response.status_code, response.text)
    COUNTS.update(["cases", *found])
    if found:
        TROUBLES.append(f"{case.body}: {response.text[:500]}")
    COUNTED.write_text(json.dumps({**COUNTS, "troubles": TROUBLES[:5]}))
    assert not found, found
