"""Names the attack that a refused key looks like. The grammar has refused it already; this only says why."""

from __future__ import annotations

from typing import Final

import re2

from datastorage.errors import FaultReason

_XSS: Final = re2.compile(
    r"(?i)(?:<|&lt;|%3c)\s*/?\s*(?:script|iframe|object|embed|svg|img)\b"
    r"|(?:javascript|vbscript)\s*(?::|%3a)"
    r"|\bon[a-z]{3,30}\s*="
)
_SQL_INJECTION: Final = re2.compile(r"(?i)['\"]|--|/\*|;|\bunion\s+(?:all\s+)?select\b")


def looks_like_attack(value: str) -> FaultReason | None:
    """The kind of attack a refused value resembles, or None. Script comes first: it has quotes as well."""
    encoded = value.encode("utf-8", "surrogatepass")
    if _XSS.search(encoded):
        return FaultReason.XSS_DETECTED
    if _SQL_INJECTION.search(encoded):
        return FaultReason.SQL_INJECTION_DETECTED
    return None
