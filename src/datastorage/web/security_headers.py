"""What browsers are told about answers: to guess nothing, frame nothing, keep nothing, tell nobody."""

from __future__ import annotations

from typing import Final

# Data of one caller, which no cache may keep, and which no page is made of. What else browsers could be told changes
# nothing about JSON, and each header costs every request more than a microsecond.
ON_DATA: Final = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
# The editor sets styles from script and carries its icons as data; nothing needs inline script or eval.
# Workers obey the policy of their own response, so the assets carry it as well as the page.
ON_PAGES: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
}
# For connections that TLS is served on: two years, as browsers' preload lists want it.
UNDER_TLS: Final = {"strict-transport-security": "max-age=63072000"}
