"""Why an operation is left to the reference executor."""

from __future__ import annotations


class Unsupported(Exception):
    """Raised before any resolver ran."""
