"""`datastorage delete`: takes remediations away, with all around them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.asking import confirm, refuse_unasked
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
from datastorage.cli.tallies import added, counting, in_words
from datastorage.domain.caller import OPERATOR
from datastorage.domain.filters import Filter
from datastorage.domain.kinds import KINDS
from datastorage.domain.selection import Selection
from datastorage.services.delete_remediations import Counts, count_to_delete, delete_remediations
from datastorage.settings import Settings, load_settings


def delete(
    requests: Annotated[
        list[str] | None,
        typer.Option(
            "--request",
            metavar="ID",
            help="A remediation request, also one whose remediation never arrived; repeatable.",
        ),
    ] = None,
    namespaces: Namespaces = None,
    clusters: Clusters = None,
    phases: Phases = None,
    statuses: Statuses = None,
    before: Annotated[
        datetime | None,
        typer.Option(
            "--before", metavar="TIME", parser=time_option, help="Remediations that started before."
        ),
    ] = None,
    where: FilterOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell how many records would go.")] = False,
) -> None:
    """Delete remediations with all around them: analyses, workflows, executions (also through their workflow),
    everything the event log holds of these, and vectors that no other incident shares.

    Give --request, or any of the other options, all of which must hold. Of each record one event stays, which
    says that it was deleted, and when; nothing of what it said.

    Runs beside the service. A delete that broke off is simply repeated; so requests that no record names are
    told, and are no error.
    """  # noqa: D205 -- typer shows this text as it stands
    conditions = [
        *places(namespaces, clusters),
        *of_remediations(phases, statuses, where),
        *between("start_time", None, before),
    ]
    selection = _selection(requests, conditions)
    refuse_unasked(yes or dry_run, "deletes")
    settings = load_settings()
    start_logging(settings)
    counts, unknown = run(_count(settings, selection))
    for request_id in unknown:
        typer.echo(f"not found: {request_id}", err=True)
    typer.echo(f"{'would delete' if dry_run else 'to delete:'} {in_words(counts)}")
    if dry_run or not any(counts.values()):
        return
    confirm(yes, "Delete them for good?")
    with ExitStack() as stack:
        deleted = Deleted()
        stack.callback(deleted.summarise)  # also of what was deleted before it broke off
        run(_delete(settings, selection, counts, deleted))


def _selection(requests: list[str] | None, conditions: list[Filter]) -> Selection:
    if requests and conditions:
        raise typer.BadParameter("--request goes with no other choice of remediations")
    if requests:
        return Selection(request_ids=tuple(requests))
    if conditions:
        return Selection(around=all_of(conditions))
    raise typer.BadParameter(
        "say what to delete: --request, or --namespace, --cluster, --phase, --status, --before, --filter"
    )


class Deleted:
    """What has been deleted so far."""

    def __init__(self) -> None:
        self._counts = {kind.subject: 0 for kind in KINDS}

    def add(self, counts: Counts) -> int:
        """One batch more; returns its records."""
        self._counts = added(self._counts, counts)
        return sum(counts.values())

    def summarise(self) -> None:
        """The last word, on standard output."""
        typer.echo(f"deleted {in_words(self._counts)}")


async def _count(settings: Settings, selection: Selection) -> tuple[Counts, Sequence[str]]:
    """How much is selected, and the request ids that no record names."""
    async with opened(settings) as deps:
        counts = await count_to_delete(deps, OPERATOR, selection)
        unknown = [
            request_id
            for request_id in selection.request_ids or ()
            if not any((await count_to_delete(deps, OPERATOR, Selection(request_ids=(request_id,)))).values())
        ]
        return counts, unknown


async def _delete(settings: Settings, selection: Selection, counts: Counts, deleted: Deleted) -> None:
    async with opened(settings) as deps:
        with counting(Console(stderr=True)) as progress:
            task = progress.add_task("records", total=sum(counts.values()))
            async for gone in delete_remediations(deps, OPERATOR, selection):
                progress.advance(task, deleted.add(gone))
