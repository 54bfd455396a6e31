"""What an import tells of the lines it rejected."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from datastorage.cli.import_report import ImportReport, in_file
from datastorage.services.import_records import BatchDone, Rejection

SOURCE = Path("audits.jsonl")


def report(file: io.StringIO | None = None) -> tuple[ImportReport, io.StringIO]:
    shown = io.StringIO()
    return ImportReport(Console(file=shown, width=40), file), shown


def test_counts_are_summed_and_told_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    told, _ = report()

    told.add(SOURCE, BatchDone(stored=3, replayed=2, rejected=[Rejection(1, "is no JSON")]))
    told.add(SOURCE, BatchDone(stored=1, replayed=0, rejected=[]))
    told.summarise()

    assert (told.present, told.rejected) == (6, 1)
    assert capsys.readouterr().out == "stored 4, already there 2, rejected 1\n"


def test_only_the_first_twenty_are_shown_and_all_are_written() -> None:
    file = io.StringIO()
    told, shown = report(file)

    for number in range(1, 31):
        told.reject(SOURCE, Rejection(number, "is no JSON"))

    *lines, last = shown.getvalue().splitlines()
    assert lines == [f"audits.jsonl:{number}: is no JSON" for number in range(1, 21)]
    assert last == "further rejected lines are counted only; --rejected FILE keeps them all"
    assert file.getvalue() == "".join(f"audits.jsonl\t{number}\tis no JSON\n" for number in range(1, 31))


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("name: is required; " * 5, "name: is required; " * 5),  # longer than the console is wide
        ("[bold]no\tsuch\nfield\x1b[31m[/] :smile:", "[bold]no such field [31m[/] :smile:"),
        ("x" * 5_000, "x" * 1_000 + "…"),
    ],
)
def test_a_reason_stays_on_its_line_whatever_the_file_put_into_it(reason: str, line: str) -> None:
    file = io.StringIO()
    told, shown = report(file)

    told.reject(SOURCE, Rejection(7, reason))

    assert shown.getvalue() == f"audits.jsonl:7: {line}\n"
    assert file.getvalue() == f"audits.jsonl\t7\t{line}\n"


@pytest.mark.parametrize(
    ("present", "rejected", "told"),
    [(1_200, 0, "1,200 rows"), (0, 3, "0 rows, 3 rejected"), (7, 1_000, "7 rows, 1,000 rejected")],
)
def test_the_bar_of_a_file_tells_rejected_lines_too(present: int, rejected: int, told: str) -> None:
    assert in_file(present, rejected) == told
