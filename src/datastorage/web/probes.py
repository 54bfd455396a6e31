"""Probes: `/health` says that the process is alive, `/ready` whether it should get requests."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from datastorage.services.health import Health
from datastorage.web.security_headers import ON_DATA


async def health(_: Request) -> Response:
    """Alive; looks at nothing else, since a restart would not mend the database."""
    return _json({"status": "alive"})


async def ready(request: Request) -> Response:
    """Ready or not, with each check by name."""
    state: Health = request.app.state.health
    checks = await state.readiness()
    is_ready = all(check.good for check in checks)
    return _json(
        {
            "status": "ready" if is_ready else "not ready",
            "checks": {check.name: {"ok": check.good, "detail": check.detail} for check in checks},
        },
        200 if is_ready else 503,
    )


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, headers=ON_DATA, media_type="application/json")
