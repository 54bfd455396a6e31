"""`datastorage demo`: loads made-up remediations, so that a newcomer sees something; takes them away again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.demo_incidents import REQUEST_ID_PREFIX, demo_incidents, made_at, request_id_prefix
from datastorage.cli.parts import opened, run
from datastorage.cli.tallies import counting
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import SubjectKind
from datastorage.domain.filters import AllOf, Condition, JsonContains, Operator
from datastorage.domain.paging import NEWEST_FIRST, page_request
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.errors import DataStorageError, RecordConflict
from datastorage.limits import IMPORT_BATCH_ROWS
from datastorage.services.delete_remediations import delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records, list_records
from datastorage.settings import Settings, load_settings

COUNT_DEFAULT: Final = 300
COUNT_MAX: Final = 100_000  # what the service levels are stated for
SEED_DEFAULT: Final = 1

QUERY: Final = """\
{
  similarIncidents(text: "checkout pod restarts, exit code 137, memory limit reached", first: 5) {
    hits {
      similarity
      incident { clusterName targetResource actionType status errorMessage resolution }
    }
  }
}"""

TRY_THIS: Final = """
While the service runs (datastorage serve), open {url} and ask:

{query}

or, from the command line:

curl -s {url} -H 'content-type: application/json' -d '{body}'

datastorage demo --remove takes the demo data away again."""


@dataclass
class Loaded:
    """What became of the demo data, by kind."""

    stored: dict[SubjectKind, int] = field(default_factory=lambda: {kind.subject: 0 for kind in KINDS})
    already_there: int = 0
    differing: int = 0

    def add(self, kind: SubjectKind, outcomes: Sequence[Written[Any] | DataStorageError]) -> None:
        """Counts one batch. Errors: what no repetition of a create explains."""
        for outcome in outcomes:
            match outcome:
                case Written():
                    self.already_there += outcome.receipt.replayed
                    self.stored[kind] += not outcome.receipt.replayed
                case RecordConflict():
                    self.differing += 1
                case _:
                    raise outcome


def demo(
    count: Annotated[
        int, typer.Option(help="How many remediations to load.", min=1, max=COUNT_MAX)
    ] = COUNT_DEFAULT,
    seed: Annotated[int, typer.Option(help="Another number makes other incidents.", min=0)] = SEED_DEFAULT,
    remove: Annotated[bool, typer.Option("--remove", help="Delete the demo data, of every seed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --remove: do not ask.")] = False,
) -> None:
    """Load made-up but realistic remediations of the last 60 days, to look around in.

    They are marked: the request ids start with `demo-`, the metadata say `"demo": true`.
    Safe to run again: what is there already stays as it is, and a larger --count adds to it.

    Works beside the running service, and without it.
    """
    settings = load_settings()
    start_logging(settings)
    if remove:
        if not yes:
            typer.confirm("Delete everything that `datastorage demo` has loaded?", abort=True)
        typer.echo(f"removed {run(_remove(settings))} demo remediations")
    else:
        _tell(run(_load(settings, count, seed)), settings)


async def _load(settings: Settings, count: int, seed: int) -> Loaded:
    async with opened(settings) as deps:
        with counting(Console(stderr=True)) as progress:
            task = progress.add_task("demo remediations", total=count)
            return await load_demo(deps, count, seed, lambda rows: progress.advance(task, rows))


async def load_demo(deps: Dependencies, count: int, seed: int, on_batch: Callable[[int], None]) -> Loaded:
    """Stores the first `count` incidents of a seed and what is around them, as far as it is missing.

    Errors: Unavailable.
    """
    loaded = Loaded()
    now = await _made_before(deps, seed) or datetime.now(UTC)
    incidents = demo_incidents(count, seed=seed, now=now)
    while batch := list(islice(incidents, IMPORT_BATCH_ROWS)):
        records = demo_records(batch)
        for kind in EXCHANGE_ORDER:
            for raws in in_batches(records[kind.subject]):
                loaded.add(kind.subject, await create_records(deps, OPERATOR, kind, raws))
        on_batch(len(batch))
    return loaded


async def _made_before(deps: Dependencies, seed: int) -> datetime | None:
    """The moment that the stored demo data of this seed were made for: made for it again, they are the same."""
    where = Condition("remediation_request_id", Operator.STARTS_WITH, request_id_prefix(seed))
    page = await list_records(deps, OPERATOR, REMEDIATION, page_request(where=where, order=NEWEST_FIRST))
    moments = (made_at(audit.remediation_request_id) for audit in page.nodes)
    return next((moment for moment in moments if moment is not None), None)


async def _remove(settings: Settings) -> int:
    async with opened(settings) as deps:
        return await remove_demo(deps)


async def remove_demo(deps: Dependencies) -> int:
    """Deletes the demo data and says how many remediations there were. Errors: Unavailable.

    Someone else's request id may start alike, so the mark decides.
    """
    marked = AllOf(
        (
            Condition("remediation_request_id", Operator.STARTS_WITH, REQUEST_ID_PREFIX),
            JsonContains("metadata", '{"demo":true}'),
        )
    )
    gone = [counts async for counts in delete_remediations(deps, OPERATOR, Selection(around=marked))]
    return sum(counts[SubjectKind.REMEDIATION] for counts in gone)


def _tell(loaded: Loaded, settings: Settings) -> None:
    if loaded.stored == 0:
        typer.echo("The demo data are there already; nothing was changed.")
    else:
        others = f"; {loaded.already_there} were there already" if loaded.already_there else ""
        typer.echo(f"Loaded {loaded.stored} made-up remediations{others}.")
    if loaded.differing:
        typer.echo(
            f"{loaded.differing} are there with other content, from another release; "
            "for fresh ones: datastorage demo --remove, then datastorage demo"
        )
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    body = json.dumps({"query": " ".join(QUERY.split())})
    typer.echo(TRY_THIS.format(url=f"http://{host}:{settings.http_port}/graphql", query=QUERY, body=body))
