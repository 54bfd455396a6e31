"""Sends cases to a service, and keeps count of what must never happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from support.attacks.faults import faults

PATIENCE_S = 30
AT_ONCE = 8
TROUBLES_KEPT = 5


@dataclass(frozen=True)
class Case:
    """One request."""

    label: str
    content: bytes = b""
    content_type: str | None = "application/json"
    method: str = "POST"
    params: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.content_type is None else {"content-type": self.content_type}


def operation(label: str, query: str, **variables: Any) -> Case:
    """A case that is a GraphQL request as clients send it."""
    return Case(label, json.dumps({"query": query, "variables": variables}).encode())


@dataclass
class Figures:
    """What came of some cases."""

    attack: str
    cases: int = 0
    server_errors: int = 0  # 5xx, or no answer at all
    internal: int = 0  # faults that nobody expected, masked
    leaks: int = 0
    time_outs: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def flawless(self) -> bool:
        return not (self.server_errors or self.internal or self.leaks or self.time_outs)

    def note(self, case: Case, what: str) -> None:
        if len(self.troubles) < TROUBLES_KEPT:
            self.troubles.append(f"{case.label}: {what[:500]}")


@dataclass(frozen=True)
class Answered:
    """One case and what it was answered."""

    case: Case
    status: int
    body: Any

    @property
    def codes(self) -> list[str]:
        """Of all errors."""
        return [error.get("extensions", {}).get("code", "NONE") for error in self.body.get("errors", ())]


class Witness:
    """Asks one service."""

    def __init__(self, http: httpx.AsyncClient, secrets: Iterable[str] = ()) -> None:
        self._http, self._secrets = http, [secret for secret in secrets if secret]

    async def saw(self, attack: str, cases: Iterable[Case]) -> Figures:
        """What comes of these cases, some at a time."""
        figures, waiting = Figures(attack), iter(cases)

        async def send_some() -> None:
            for case in waiting:
                await self.asked(case, figures)

        await asyncio.gather(*(send_some() for _ in range(AT_ONCE)))
        return figures

    async def asked(self, case: Case, figures: Figures) -> Answered | None:
        """The answer to one case, counted; None where there is none."""
        figures.cases += 1
        try:
            answer = await self._http.request(
                case.method,
                "/graphql",
                content=case.content,
                params=case.params,
                headers=case.headers,
                timeout=PATIENCE_S,
            )
        except httpx.TimeoutException:
            figures.time_outs += 1
            figures.note(case, "no answer in time")
            return None
        except httpx.TransportError as error:
            figures.server_errors += 1
            figures.note(case, repr(error))
            return None
        self._judge(case, answer, figures)
        return Answered(case, answer.status_code, answer.json())

    def _judge(self, case: Case, answer: httpx.Response, figures: Figures) -> None:
        shown = faults(answer.status_code, answer.text, self._secrets)
        for fault in shown:
            setattr(figures, fault, getattr(figures, fault) + 1)
        if shown:
            figures.note(case, f"{answer.status_code} {answer.text}")
