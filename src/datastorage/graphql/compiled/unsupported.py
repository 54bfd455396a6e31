"""Why something is left to graphql-core."""

from __future__ import annotations


class Unsupported(Exception):
    """What an operation asks for has no compiled form; raised while compiling, before any resolver ran."""


class Unfit(Exception):
    """A value that its type does not take; graphql-core meets it again, and says so in its own words."""
