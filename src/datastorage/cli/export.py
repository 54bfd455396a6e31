"""`datastorage export`: records of all kinds as JSONL, which `datastorage import` reads."""

from __future__ import annotations

import signal
import sys
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.output import STANDARD_OUTPUT, ReaderGone, Sink, StandardOutput, opened_output
from datastorage.cli.parts import opened, run
from datastorage.cli.selection import (
    Clusters,
    FilterOption,
    Namespaces,
    Phases,
    Statuses,
    all_of,
    between,
    of_remediations,
    places,
    time_option,
)
from datastorage.cli.tallies import counting, in_words
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import SubjectKind
from datastorage.domain.json_record import KIND_OF
from datastorage.domain.kind import RecordKind
from datastorage.domain.kinds import KINDS
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.services.export_records import export as export_records
from datastorage.settings import Settings, load_settings


def _kind(text: str) -> RecordKind[Any]:
    if text not in KIND_OF:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(KIND_OF)}")
    return KIND_OF[text]


def export(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A file instead of standard output; .gz is compressed."
        ),
    ] = STANDARD_OUTPUT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
    kinds: Annotated[
        list[Any] | None,
        typer.Option(
            "--record",
            metavar="KIND",
            parser=_kind,
            help=f"Only this kind; repeatable: {', '.join(KIND_OF)}.",
        ),
    ] = None,
    requests: Annotated[
        list[str] | None,
        typer.Option("--request", metavar="ID", help="A remediation request with all around it; repeatable."),
    ] = None,
    namespaces: Namespaces = None,
    clusters: Clusters = None,
    phases: Phases = None,
    statuses: Statuses = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            metavar="TIME",
            parser=time_option,
            help="Started (analyses: stored) at this time or later.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", metavar="TIME", parser=time_option, help="Started (analyses: stored) before this time."
        ),
    ] = None,
    where: FilterOption = None,
) -> None:
    """Export records as JSONL: one JSON object a line, "record" naming its kind, then the fields of the
    GraphQL create input. Importing it into an empty database gives the same records.

    What several options say must all hold. With --phase, --status or --filter, which only remediations have,
    all options choose remediations, and what is around these goes with them: their analyses, workflows and
    executions (also through their workflow). Without, each record is chosen by its own request, namespace,
    cluster and time; an execution by its request also through its workflow.

    Runs beside the service, in constant memory, and shows the records as they are at one moment. Secrets
    were redacted when they were stored. A file appears when it is whole.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    chosen = of_remediations(phases, statuses, where)
    own = {
        kind.subject: [*places(namespaces, clusters), *between(kind.newest_by, since, until)]
        for kind in KINDS
    }
    selection = Selection(
        request_ids=tuple(requests) if requests else None,
        around=all_of([*own[REMEDIATION.subject], *chosen]) if chosen else None,
        own={} if chosen else {subject: all_of(parts) for subject, parts in own.items()},
    )
    try:
        with opened_output(output, overwrite=force) as sink:
            counts = run(_export(settings, [kind.subject for kind in kinds or KINDS], selection, sink))
    except ReaderGone:
        raise typer.Exit(128 + signal.SIGPIPE) from None
    typer.echo(f"exported {in_words(counts)}", err=True)


async def _export(
    settings: Settings, kinds: Collection[SubjectKind], selection: Selection, sink: Sink
) -> Mapping[SubjectKind, int]:
    shares_terminal = isinstance(sink, StandardOutput) and sys.stdout.isatty()
    async with opened(settings) as deps, export_records(deps, OPERATOR, kinds, selection) as records:
        there_are = await records.counts()
        exported = dict.fromkeys(there_are, 0)
        with counting(Console(stderr=True), hidden=shares_terminal) as progress:
            task = progress.add_task("records", total=sum(there_are.values()))
            async for kind, lines in records.lines():
                sink.write(b"".join(lines))
                exported[kind] += len(lines)
                progress.advance(task, len(lines))
    return exported
