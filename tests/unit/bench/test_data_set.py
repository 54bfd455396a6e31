from datetime import UTC, datetime, timedelta

from bench.speed.data.occurrences import Occurrence, Repeater, occurrences, texts_of
from bench.speed.data.originals import Original, Row
from datastorage.domain.enums import SubjectKind
from datastorage.services.incident_text import IncidentText

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_a_million_incidents_have_far_fewer_texts() -> None:
    assert [texts_of(rows) for rows in (10, 10_000, 100_000, 1_000_000)] == [10, 5_994, 30_042, 150_565]


def test_incidents_are_the_same_whatever_is_loaded_before() -> None:
    whole = list(occurrences(0, 300))

    assert [*occurrences(0, 100), *occurrences(100, 300)] == whole
    assert {each.original for each in whole} == set(range(texts_of(300)))


def test_an_incident_that_comes_again_has_other_keys_and_times() -> None:
    remediation = {
        "id": 0,
        "remediation_request_id": "demo-1",
        "start_time": NOON,
        "end_time": None,
        "name": "x",
    }
    analysis = {"id": 0, "analysis_id": "demo-1-analysis-1", "created_at": NOON + timedelta(seconds=1)}
    rows = Row(SubjectKind.REMEDIATION, remediation), Row(SubjectKind.ANALYSIS, analysis)
    original = Original(rows, IncidentText("text", b"hash", "", ""), (), b"", b"")
    repeater = Repeater()

    found = [
        repeater.numbered(row)
        for number in (7, 8)
        for row in repeater.repeated(original, Occurrence(number, 0, NOON + timedelta(days=number)))
    ]

    assert [row.get("remediation_request_id", row.get("analysis_id")) for row in found] == [
        "bench-00000007",
        "bench-00000007-analysis-1",
        "bench-00000008",
        "bench-00000008-analysis-1",
    ]
    assert [row["id"] for row in found] == [1, 1, 2, 2]
    assert found[2] == {
        **found[0],
        "id": 2,
        "remediation_request_id": "bench-00000008",
        "start_time": NOON + timedelta(days=8),
    }
    assert found[3]["created_at"] == NOON + timedelta(days=8, seconds=1)
