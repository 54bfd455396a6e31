"""`datastorage delete` as a process: what it asks, what it refuses, what it says, and what it then has done."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import URL

from support.around import ANALYSIS, EXECUTION, WORKFLOW
from support.command_line import CommandLine, Ended
from support.records import remediation_input
from support.service import COMMAND, PATIENCE_S, Service, environment, variables

NOWHERE = variables(URL.create("postgresql", "app", database="app", query={"host": "/nonexistent"}))


@pytest.fixture
def run(commands: CommandLine) -> Callable[..., Ended]:
    """Runs a command to its end; nobody answers what it asks."""

    def run(given: dict[str, str], *arguments: object) -> Ended:
        return commands.run(*map(str, arguments), variables=given | {"COLUMNS": "200"})

    return run


@pytest.fixture
def filled(run: Callable[..., Ended], own_database: URL, tmp_path: Path) -> dict[str, str]:
    """A failed remediation with one of everything around it, and a pending one in another place."""
    file = tmp_path / "records.jsonl"
    records = [
        remediation_input(phase="FAILED"),
        {"record": "aiAnalysisAudit", **ANALYSIS},
        {"record": "workflowAudit", **WORKFLOW},
        {"record": "executionAudit", **EXECUTION},
        remediation_input(
            remediationRequestId="rr-2",
            namespace="shop",
            clusterName="prod-us-1",
            startTime="2026-02-01T00:00:00Z",
        ),
    ]
    file.write_text("\n".join(map(json.dumps, records)))
    assert run(variables(own_database), "import", file).out.startswith("stored 5,")
    return variables(own_database)


async def stored(sql: asyncpg.Connection) -> set[str]:
    rows = await sql.fetch(
        "SELECT remediation_request_id FROM remediation_audit UNION ALL SELECT analysis_id FROM ai_analysis_audit "
        "UNION ALL SELECT workflow_id FROM workflow_audit UNION ALL SELECT execution_id FROM execution_audit"
    )
    return {row[0] for row in rows}


EVERYTHING = {"rr-1", "an-1", "wf-1", "ex-1", "rr-2"}
TIMELINE = "1 remediation, 1 analysis, 1 workflow, 1 execution"


async def test_a_request_goes_with_all_around_it(
    run: Callable[..., Ended], filled: dict[str, str], sql_own: asyncpg.Connection
) -> None:
    outcome = run(filled, "delete", "--request", "rr-1", "--yes")
    again = run(filled, "delete", "--request", "rr-1", "--yes")

    assert (outcome.code, outcome.out) == (0, f"to delete: {TIMELINE}\ndeleted {TIMELINE}\n")
    assert await stored(sql_own) == {"rr-2"}
    assert (again.code, again.out) == (
        0,
        "to delete: 0 remediations, 0 analyses, 0 workflows, 0 executions\n",
    )
    assert again.err == "not found: rr-1\n"


async def test_requests_that_no_record_names_are_told_and_are_no_error(
    run: Callable[..., Ended], filled: dict[str, str], sql_own: asyncpg.Connection
) -> None:
    requests = [part for request in ("rr-0", "rr-1", "rr-9") for part in ("--request", request)]

    outcome = run(filled, "delete", *requests, "--yes")

    assert (outcome.code, outcome.out) == (0, f"to delete: {TIMELINE}\ndeleted {TIMELINE}\n")
    assert outcome.err.splitlines()[:2] == ["not found: rr-0", "not found: rr-9"]
    assert await stored(sql_own) == {"rr-2"}


@pytest.mark.parametrize(
    "options",
    [
        ["--phase", "failed"],
        ["--status", "FAILURE", "--namespace", "payments"],
        ["--cluster", "prod-eu-1"],
        ["--before", "2026-01-31T00:00:00Z"],
        ["--filter", '{"analyses": {"some": {"analysisId": {"eq": "an-1"}}}}'],
        ["--filter", "{}", "--cluster", "prod-eu-1"],
    ],
)
async def test_options_that_must_all_hold_choose_remediations(
    run: Callable[..., Ended], filled: dict[str, str], sql_own: asyncpg.Connection, options: list[str]
) -> None:
    outcome = run(filled, "delete", *options, "-y")

    assert (outcome.code, outcome.out) == (0, f"to delete: {TIMELINE}\ndeleted {TIMELINE}\n")
    assert await stored(sql_own) == {"rr-2"}


async def test_a_dry_run_only_tells(
    run: Callable[..., Ended], filled: dict[str, str], sql_own: asyncpg.Connection
) -> None:
    outcome = run(filled, "delete", "--before", "2030-01-01T00:00:00Z", "--dry-run")

    assert (outcome.code, outcome.out) == (
        0,
        "would delete 2 remediations, 1 analysis, 1 workflow, 1 execution\n",
    )
    assert await stored(sql_own) == EVERYTHING


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--yes"], "say what to delete: --request, or --namespace, --cluster, --phase"),
        (["--request", "rr-1", "--phase", "failed", "--yes"], "--request goes with no other choice"),
        (["--request", "rr-1"], "nobody is there to be asked; --yes deletes without asking"),
        (
            ["--filter", '{"phase": {"eq": "OVER"}}', "--yes"],
            "phase.eq: Value does not exist in 'Phase' enum",
        ),
        (["--before", "2026-01-31", "--yes"], "'2026-01-31' lacks a time zone"),
    ],
)
def test_what_is_not_clear_is_refused_before_the_database_is_opened(
    run: Callable[..., Ended], options: list[str], told: str
) -> None:
    outcome = run(NOWHERE, "delete", *options)

    assert (outcome.code, outcome.out) == (2, "")
    assert told in " ".join(outcome.err.replace("│", " ").split())


def test_the_demo_data_are_not_removed_either_where_nobody_can_be_asked(run: Callable[..., Ended]) -> None:
    outcome = run(NOWHERE, "demo", "--remove")

    assert (outcome.code, outcome.out) == (2, "")
    assert "nobody is there to be asked; --yes deletes without asking" in outcome.err


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, {"rr-2"}), ("n", 1, EVERYTHING)])
async def test_at_a_terminal_it_asks_first(
    filled: dict[str, str],
    own_database: URL,
    sql_own: asyncpg.Connection,
    tmp_path: Path,
    answer: str,
    code: int,
    left: set[str],
) -> None:
    said, ended = at_a_terminal(environment(own_database), tmp_path, answer)

    assert ended == code
    assert f"to delete: {TIMELINE}" in said
    assert "Delete them for good? [y/N]" in said
    assert (f"deleted {TIMELINE}" in said) is (answer == "y")
    assert await stored(sql_own) == left


def at_a_terminal(given: dict[str, str], place: Path, answer: str) -> tuple[str, int]:
    """Says `delete --request rr-1` at a terminal of its own and answers; returns what was shown, and the exit code."""
    ours, theirs = pty.openpty()
    command = [*COMMAND, "delete", "--request", "rr-1"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, cwd=place
    ) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        shown = b""
        while part := _read(ours):
            shown += part
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()), process.wait(PATIENCE_S)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side is closed
        return b""


async def test_a_delete_that_breaks_off_says_what_is_gone_and_is_simply_repeated(
    run: Callable[..., Ended], own_database: URL, sql_own: asyncpg.Connection, tmp_path: Path
) -> None:
    # given: 150 remediations, of which one in the second batch cannot be deleted
    file = tmp_path / "records.jsonl"
    file.write_text(
        "\n".join(json.dumps(remediation_input(remediationRequestId=f"rr-{n}")) for n in range(150))
    )
    given = variables(own_database)
    run(given, "import", file)
    await sql_own.execute("CREATE TABLE guard (id bigint REFERENCES remediation_audit)")
    await sql_own.execute("INSERT INTO guard SELECT max(id) FROM remediation_audit")

    # when
    broken = run(given, "delete", "--namespace", "payments", "--yes")
    await sql_own.execute("DROP TABLE guard")
    repeated = run(given, "delete", "--namespace", "payments", "--yes")

    # then
    nothing_else = "0 analyses, 0 workflows, 0 executions"
    assert broken.code == 1
    assert broken.out.splitlines()[-1] == f"deleted 100 remediations, {nothing_else}"
    assert repeated.out == (
        f"to delete: 50 remediations, {nothing_else}\ndeleted 50 remediations, {nothing_else}\n"
    )
    assert await sql_own.fetchval("SELECT count(*) FROM incident_embedding") == 0


def test_it_runs_beside_the_service_of_the_same_data_directory(
    run: Callable[..., Ended], embedded_service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(remediation_input(remediationRequestId="to-be-deleted")))
    given = variables(embedded_service.data_dir)
    run(given, "import", file)
    question = '{ remediationAudit(requestId: "to-be-deleted") { name } }'
    there = embedded_service.ask(question)["data"]["remediationAudit"]

    outcome = run(given, "delete", "--request", "to-be-deleted", "--yes")

    assert there == {"name": "payment-api-oom"}
    assert outcome.code == 0
    assert embedded_service.ask(question)["data"]["remediationAudit"] is None
