"""Any endpoint that speaks OpenAI's `/v1/embeddings`: TEI, Ollama, vLLM, LiteLLM, OpenAI itself.

What may go well next time is tried again as long as the deadline allows; the key appears in no error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx
import orjson
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    wait_exponential_jitter,
)

from datastorage.embedding.openai_answer import detail_of, vectors_of
from datastorage.embedding.provider import Vector, refuse_blank
from datastorage.errors import EmbeddingFailed, EmbeddingTimeout, RateLimited, TextRefused
from datastorage.limits import EMBEDDING_ATTEMPTS_MAX, EMBEDDING_BATCH_TEXTS
from datastorage.observability.trace_context import outgoing_headers

REPEATABLE: Final = {HTTPStatus.TOO_MANY_REQUESTS, 500, 502, 503, 504, 529}
OF_THE_TEXT: Final = {400, 413, 422}  # too long, mostly
OF_THE_SETTINGS: Final = {
    401: "check DATASTORAGE_EMBEDDING_API_KEY",
    403: "check DATASTORAGE_EMBEDDING_API_KEY",
    404: "check DATASTORAGE_EMBEDDING_URL and DATASTORAGE_EMBEDDING_MODEL",
}
_BACKOFF: Final = wait_exponential_jitter(multiplier=0.1, max=5.0, jitter=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to ask, and how."""

    url: str  # with the path, up to /embeddings
    model: str
    dimensions: int
    sends_dimensions: bool = False  # asks the endpoint to cut its vectors to them
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 2.0
    chars_max: int = 8_192


class OpenAiProvider:
    """Vectors over HTTP, in batches."""

    costs_more_than_a_lookup: Final = True
    calls_max: Final = 4  # a server with one GPU is busy with two; the rest keeps its queue short

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self.model, self.dimensions, self._endpoint = name, endpoint.dimensions, endpoint
        headers = {"content-type": "application/json"}
        if endpoint.api_key is not None:
            headers["authorization"] = f"Bearer {endpoint.api_key}"
        self._http = httpx.AsyncClient(
            headers=headers,
            event_hooks={"request": [_hand_on]},
            timeout=httpx.Timeout(endpoint.timeout_s, connect=endpoint.timeout_s / 2),
            limits=httpx.Limits(max_connections=2 * self.calls_max),
        )

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector per text. Errors: InvalidInput for a blank text, EmbeddingFailed."""
        refuse_blank(texts)
        vectors: list[Vector] = []
        for start in range(0, len(texts), EMBEDDING_BATCH_TEXTS):
            vectors += await self._batch(texts[start : start + EMBEDDING_BATCH_TEXTS])
        return vectors

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _batch(self, texts: Sequence[str]) -> list[Vector]:
        try:
            question = self._question(texts)
        except orjson.JSONEncodeError:
            raise TextRefused("the text is not valid Unicode") from None
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_go_well_next_time),
            wait=_wait,
            stop=stop_any(
                stop_after_attempt(EMBEDDING_ATTEMPTS_MAX), stop_before_delay(self._endpoint.timeout_s)
            ),
            reraise=True,
        )
        try:
            answer: bytes = await retrying(self._post, question)
        except httpx.HTTPStatusError as error:
            raise self._refusal(error.response) from None
        except httpx.TimeoutException:
            raise EmbeddingTimeout("the endpoint did not answer in time") from None
        except httpx.HTTPError as error:
            raise EmbeddingFailed(f"the endpoint is out of reach: {self._without_key(str(error))}") from None
        return vectors_of(answer, texts=len(texts), dimensions=self.dimensions)

    def _question(self, texts: Sequence[str]) -> bytes:
        asked: dict[str, Any] = {
            "model": self._endpoint.model,
            "input": [text[: self._endpoint.chars_max] for text in texts],
            "encoding_format": "float",
        }
        if self._endpoint.sends_dimensions:
            asked["dimensions"] = self.dimensions
        return orjson.dumps(asked)

    async def _post(self, question: bytes) -> bytes:
        response = await self._http.post(self._endpoint.url, content=question)
        response.raise_for_status()
        return response.content

    def _refusal(self, response: httpx.Response) -> EmbeddingFailed:
        status = response.status_code
        said = f"the endpoint answered {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        if status in OF_THE_SETTINGS:  # 401 of some repeats parts of the key
            return EmbeddingFailed(f"{said}: {OF_THE_SETTINGS[status]}")
        detail = self._without_key(detail_of(response.content))
        message = f"{said}: {detail}" if detail else said
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(message)
        return TextRefused(message) if status in OF_THE_TEXT else EmbeddingFailed(message)

    def _without_key(self, text: str) -> str:
        key = self._endpoint.api_key
        return text.replace(key, "[key]") if key else text


async def _hand_on(request: httpx.Request) -> None:
    """Tells the endpoint for which request, and in which trace, it is asked."""
    request.headers.update(outgoing_headers())


def _may_go_well_next_time(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in REPEATABLE
    # An answer that took all the time there is leaves none for another.
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ReadTimeout)


def _wait(state: RetryCallState) -> float:
    """What the endpoint asks for, else longer each time; with some chance, so that callers do not come at once."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = 0.0
    if isinstance(error, httpx.HTTPStatusError):
        asked = retry_after_s(error.response.headers.get("retry-after", ""), datetime.now(UTC))
    return max(asked, _BACKOFF(state))


def retry_after_s(header: str, now: datetime) -> float:
    """Seconds or a date, as HTTP has it; 0 for anything else."""
    if header.isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header).astimezone(UTC) - now).total_seconds())
    except (ValueError, OverflowError):  # of a date at the end of the calendar
        return 0.0
