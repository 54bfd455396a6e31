"""Secrets and control characters in what callers send: pure functions, no I/O.

Called by services (before storage and embedding), by domain (reasons of refused keys) and by logging.
"""

from datastorage.redaction.attacks import looks_like_attack
from datastorage.redaction.findings import Finding
from datastorage.redaction.json_walk import JsonValue
from datastorage.redaction.pattern import Pattern
from datastorage.redaction.redactor import Redactor
from datastorage.redaction.sanitising import clean_text

__all__ = ["Finding", "JsonValue", "Pattern", "Redactor", "clean_text", "looks_like_attack"]
