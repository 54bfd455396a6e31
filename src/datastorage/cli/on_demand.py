"""Commands whose modules are imported when they are called: `--help` and `--version` need none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Where a command, or a group of commands, is; and the first sentence of its help."""

    place: str  # module:name
    summary: str

    def load(self) -> Any:
        """The function, or the `typer.Typer` of a group."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)


def stand_in() -> None:
    """Stands for a command in the list of commands; never called."""


def group_of(commands: dict[str, OnDemand]) -> type[TyperGroup]:
    """A group that lists these commands by their summaries, and loads the one that is called."""

    class Group(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, found, rest = super().resolve_command(ctx, args)
            return name, None if name is None or found is None else _loaded(name, commands[name]), rest

    return Group


def _loaded(name: str, command: OnDemand) -> Any:
    holder, found = typer.Typer(rich_markup_mode="markdown"), command.load()
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    return get_group(holder).commands[name]
