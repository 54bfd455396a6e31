"""Who a request comes from. While no authentication is configured, everybody is anonymous."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from datastorage.domain.caller import ANONYMOUS, Caller

ACTOR_HEADER: Final = "x-actor"
_ACTOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,254}")


def identify(request: Request) -> Caller:
    """The caller, with the actor it declares in `X-Actor` (kept beside the authenticated one)."""
    declared = request.headers.get(ACTOR_HEADER, "")
    return replace(ANONYMOUS, declared_actor=declared) if _ACTOR.fullmatch(declared) else ANONYMOUS
