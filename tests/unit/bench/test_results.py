from pathlib import Path
from typing import Any

from bench.speed import tables
from bench.speed.names import POSTGRAPHILE, SERVICE
from bench.speed.results import Measurement, Results, Summary
from bench.speed.targets import GROWTH_TARGETS, TARGETS, judged


def measurement(peer: str, number: int, per_s: float, **differs: Any) -> Measurement:
    whole = {
        "question": "list",
        "rows": 100_000,
        "requests": 10,
        "p50_ms": 1.0,
        "p95_ms": 2.0,
        "p99_ms": 3.0,
        "cpu_ms": 0.25,
        "database_cpu_ms": 0.1,
        "peak_mb": 150.0,
    }
    return Measurement(**{**whole, "peer": peer, "round": number, "per_s": per_s, **differs})


SPEED = Results(
    {},
    [
        measurement(SERVICE, 0, 3_000, peak_mb=160.0),
        measurement(POSTGRAPHILE, 0, 1_000),
        measurement(SERVICE, 1, 4_000),
        measurement(POSTGRAPHILE, 1, 2_000),
        measurement(SERVICE, 2, 5_000),
        measurement(POSTGRAPHILE, 2, 9_000, fault="3 of 18000 answers were bad"),
    ],
)


def summaries() -> dict[str, Summary]:
    return {each.peer: each for each in SPEED.summaries()}


def test_figures_are_medians_and_memory_is_the_most_seen() -> None:
    figures = summaries()[SERVICE].figures

    assert (figures["per_s"], figures["peak_mb"]) == (4_000, 160.0)


def test_ratios_compare_within_a_round_and_leave_void_rounds_out() -> None:
    found = summaries()[POSTGRAPHILE]

    assert (found.ratio, found.figures["per_s"]) == (2.5, 1_500)  # of 3 and 2
    assert found.faults == ("3 of 18000 answers were bad",)


def test_a_table_tells_of_void_rounds() -> None:
    _, line = (tables.cells(each) for each in SPEED.summaries())

    assert line[:2] == [POSTGRAPHILE, "1,500 (1 rounds failed)"]
    assert line[-1] == "2.5 ×"


def test_a_peer_without_a_good_round_has_failed() -> None:
    results = Results({}, [measurement(SERVICE, 0, 1, fault="nothing was stored")])

    assert tables.cells(results.summaries()[0])[:2] == [SERVICE, "failed"]


def test_targets_are_met_missed_or_not_measured() -> None:
    words = {verdict.what: (verdict.found, verdict.word) for verdict in judged(SPEED, TARGETS)}

    assert words["list, against PostGraphile"] == ("2.50 ×", "met")
    assert words["memory of the process"] == ("160 MB", "met")
    assert words["get, against PostGraphile"] == ("", "not measured")


def test_growth_compares_sizes_within_a_round() -> None:
    results = Results(
        {},
        [
            measurement(SERVICE, 0, 4_000),
            measurement(SERVICE, 0, 2_000, rows=1_000_000),
            measurement(SERVICE, 1, 3_000),
        ],
    )
    verdict = next(each for each in judged(results, GROWTH_TARGETS) if each.what == "list")

    assert (verdict.found, verdict.word) == ("2.00 ×", "not met")
    assert tables.grown(results)[1][0][1:] == ["3,500", "2,000", "2.00 ×"]


def test_results_survive_being_saved(tmp_path: Path) -> None:
    SPEED.save(tmp_path / "speed.json")

    assert Results.load(tmp_path / "speed.json") == SPEED
