"""`datastorage keys …`: the API keys of clients."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from datastorage.app import start_logging
from datastorage.cli.asking import confirm, refuse_unasked
from datastorage.cli.parts import opened, run
from datastorage.domain.api_key import ApiKey
from datastorage.domain.caller import OPERATOR, Right, Role, Scope
from datastorage.services.access import api_keys
from datastorage.services.access.api_keys import NewKey
from datastorage.settings import Settings, load_settings

keys = typer.Typer(
    help="Look after API keys: make, list, rotate and revoke them. `DATASTORAGE_AUTH_MODES` must have `api_key`.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,99}")
DAY: Final = timedelta(days=1)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise typer.BadParameter("must be letters, digits and ._:/@+=- , 1 to 100 of them, the first no sign")
    return name


Name = Annotated[
    str, typer.Argument(help="Who the key is for; events tell it as `key:NAME`.", callback=_checked)
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]


@keys.command()
def create(
    name: Name,
    role: Annotated[
        Role | None, typer.Option(help="What it may do: reader reads; writer writes too; admin everything.")
    ] = None,
    right: Annotated[
        list[Right] | None, typer.Option(help="A right of its own instead of a role; may be repeated.")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Only what is in this namespace; may be repeated.")
    ] = None,
    cluster: Annotated[
        list[str] | None, typer.Option(help="Only what is in this cluster; may be repeated.")
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=3_650, help="Ends after so many days; without it, never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its secret is printed once, and kept nowhere."""
    if (role is None) == (not right):
        raise typer.BadParameter("give either --role or --right")
    scope = Scope(frozenset(namespace) if namespace else None, frozenset(cluster) if cluster else None)
    granted = right or [] if role is None else role
    expires_at = None if expires_in_days is None else datetime.now(UTC) + expires_in_days * DAY

    async def work(settings: Settings) -> NewKey:
        async with opened(settings) as deps:
            return await api_keys.create_key(deps, OPERATOR, name, granted, scope, expires_at)

    _tell(run(work(_started())), as_json=as_json)


@keys.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show all keys: what they may do, where, since when, until when, and when they were last used."""

    async def work(settings: Settings) -> list[ApiKey]:
        async with opened(settings) as deps:
            return await api_keys.list_keys(deps, OPERATOR)

    found = run(work(_started()))
    if as_json:
        typer.echo(orjson.dumps([_document(key) for key in found], option=orjson.OPT_INDENT_2))
    else:
        _show(found)


@keys.command()
def rotate(
    name: Name,
    grace_hours: Annotated[
        float, typer.Option(min=0, max=720, help="Hours that the old secret still opens.")
    ] = 24.0,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=3_650, help="The new one ends after so many days.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new secret with the same rights; the old one goes on opening for a while."""
    lifetime = None if expires_in_days is None else expires_in_days * DAY

    async def work(settings: Settings) -> NewKey:
        async with opened(settings) as deps:
            return await api_keys.rotate_key(deps, OPERATOR, name, timedelta(hours=grace_hours), lifetime)

    _tell(run(work(_started())), as_json=as_json)


@keys.command()
def revoke(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End a key at once, with all its secrets; every process notices within seconds."""
    refuse_unasked(yes, "revokes")
    confirm(yes, f"Revoke {name}?")

    async def work(settings: Settings) -> list[ApiKey]:
        async with opened(settings) as deps:
            return await api_keys.revoke_key(deps, OPERATOR, name)

    ended = run(work(_started()))
    typer.echo(f"revoked {name}: {', '.join(f'dsk_{key.prefix}_…' for key in ended)}")


def _started() -> Settings:
    settings = load_settings()
    start_logging(settings)
    return settings


def _tell(made: NewKey, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(_document(made.key) | {"secret": made.secret}, option=orjson.OPT_INDENT_2))
        return
    typer.echo(made.secret)
    typer.echo("This is shown once. Send it as `Authorization: Bearer …` or `X-API-Key: …`.", err=True)


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": f"dsk_{key.prefix}",
        "role": key.role,
        "rights": sorted(key.granted),
        "namespaces": key.namespaces,
        "clusters": key.clusters,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
        "lastUsedAt": key.last_used_at,
    }


def _show(found: list[ApiKey]) -> None:
    if not found:
        typer.echo("there are no keys")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "secret", "may", "namespaces", "clusters", "state", "last used"):
        table.add_column(heading, overflow="fold")
    for key in found:
        table.add_row(
            key.name,
            f"dsk_{key.prefix}_…",
            key.role or ", ".join(sorted(key.granted)),
            _listed(key.namespaces),
            _listed(key.clusters),
            _state(key),
            "never" if key.last_used_at is None else _minute(key.last_used_at),
        )
    Console().print(table, markup=False)


def _listed(names: tuple[str, ...] | None) -> str:
    return "all" if names is None else ", ".join(names)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {_minute(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'good until' if key.usable(datetime.now(UTC)) else 'expired'} {_minute(key.expires_at)}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
