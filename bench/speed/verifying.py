"""Before anything is measured: all peers must answer the same question with the same data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx

from bench.speed.contestant import Contestant
from bench.speed.questions import Question
from bench.speed.spelling import normal
from bench.speed.wrk import RunFailed

ASKED: Final = 5
OWN: Final = ("databaseId", "remediationRequestId")  # of what is created


def verify(contestants: Sequence[Contestant]) -> None:
    """Asks each of them the first few questions; those on one database must agree. Errors: RunFailed."""
    expected: dict[int, Any] = {}
    for contestant in contestants:
        question, name = contestant.question, contestant.peer
        if contestant.running is None:
            continue
        with httpx.Client(base_url=contestant.running.url, timeout=60, trust_env=False) as http:
            for number, body in enumerate(contestant.bodies[:ASKED]):
                answer = _answer(http, question, name, body.replace("@N@", f"{_slug(name)}-{number}"))
                wanted = expected.setdefault(number, answer)
                if answer != wanted:
                    raise RunFailed(f"{question.name}: {name} answers {answer}, the others {wanted}")


def _answer(http: httpx.Client, question: Question, name: str, body: str) -> Any:
    sent = body.replace("@W@", "verified").encode()
    answer = http.post(question.asks[name].path, content=sent, headers={"content-type": "application/json"})
    found = answer.json() if answer.is_success else {}
    if "errors" in found or question.marker not in answer.text or '"message":' in answer.text:
        raise RunFailed(f"{question.name}: {name} answers {answer.status_code} {answer.text[:1000]}")
    return normal(_without_own(found["data"]) if question.writes else found["data"])


def _without_own(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_own(inner) for key, inner in value.items() if key not in OWN}
        case list():
            return [_without_own(inner) for inner in value]
        case _:
            return value


def _slug(name: str) -> str:
    return name.split(maxsplit=1)[0].lower()
