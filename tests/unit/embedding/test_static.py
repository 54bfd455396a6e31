import asyncio
from itertools import chain

import numpy as np
import pytest

from datastorage.embedding import EmbeddingFailed, StaticProvider, Vector
from datastorage.embedding.static import INLINE_CHARS_MAX
from datastorage.errors import FaultReason, InvalidInput
from datastorage.limits import EMBEDDED_CHARS_MAX

TEXTS = [
    "Payment API is down\nOOMKilled, exit code 137\nrestart_pod Deployment",
    "disk full",
    "证书已过期 🔥 naïve “quotes” \t <s> </s> <unk> \x07",
    "connection refused " * 500,
    "#",
]


@pytest.fixture(scope="module")
def provider() -> StaticProvider:
    return StaticProvider.load()


async def vector(provider: StaticProvider, text: str) -> Vector:
    return (await provider.embed([text]))[0]


async def similarity(provider: StaticProvider, one: str, other: str) -> float:
    return float(await vector(provider, one) @ await vector(provider, other))


async def test_a_vector_has_256_float32_and_length_1(provider: StaticProvider) -> None:
    vectors = await provider.embed(TEXTS)

    assert (provider.model, provider.dimensions) == ("wordllama-l2-supercat-256", 256)
    assert [(v.dtype, v.shape) for v in vectors] == [(np.dtype(np.float32), (256,))] * len(TEXTS)
    assert np.linalg.norm(np.stack(vectors), axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-6)


async def test_a_word_is_the_mean_of_its_token_vectors(provider: StaticProvider) -> None:
    # Reads the table the plain way, to hold the mapped one against it.
    ids = provider._tokenizer.encode("disk full", add_special_tokens=False).ids
    mean = provider._token_bits[ids].view(np.float16).astype(np.float64).mean(axis=0)

    assert ids == [8086, 2989]
    assert await vector(provider, "disk full") == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


async def test_a_text_has_the_same_vector_to_the_bit_in_any_batch(provider: StaticProvider) -> None:
    alone = [(await vector(provider, text)).tobytes() for text in TEXTS]
    together = [v.tobytes() for v in await provider.embed(TEXTS)]
    backwards = [v.tobytes() for v in await provider.embed(TEXTS[::-1] * 3)]

    assert alone == together
    assert backwards == together[::-1] * 3


async def test_concurrent_calls_do_not_disturb_each_other(provider: StaticProvider) -> None:
    expected = [v.tobytes() for v in await provider.embed(TEXTS)] * 10

    batches = await asyncio.gather(*(provider.embed(TEXTS) for _ in range(10)))

    assert sum(map(len, TEXTS)) > INLINE_CHARS_MAX  # so each batch has a thread of its own
    assert [v.tobytes() for v in chain.from_iterable(batches)] == expected


@pytest.mark.parametrize(
    ("text", "paraphrase", "unrelated"),
    [
        ("killed: out of memory", "process exceeded its memory limit", "TLS certificate has expired"),
        ("TLS certificate has expired", "x509: certificate is no longer valid", "disk is full"),
        ("no space left on device", "disk is full", "too many database connections"),
        (
            "too many database connections",
            "PostgreSQL connection pool exhausted",
            "cannot pull container image",
        ),
        ("ImagePullBackOff", "cannot pull container image", "replica lags behind the primary"),
        ("DNS lookup failed", "name resolution error: no such host", "certificate has expired"),
    ],
)
async def test_a_paraphrase_is_nearer_than_something_else(
    provider: StaticProvider, text: str, paraphrase: str, unrelated: str
) -> None:
    assert await similarity(provider, text, paraphrase) > await similarity(provider, text, unrelated)


async def test_the_headline_weighs_as_much_as_a_long_account(provider: StaticProvider) -> None:
    headline, account = "certificate has expired", "connection refused by the peer " * 100

    text = await vector(provider, f"{headline}\n{account}")

    to_headline = float(text @ await vector(provider, headline))
    to_account = float(text @ await vector(provider, account))
    assert to_headline == pytest.approx(to_account, abs=1e-6)


async def test_the_circumstances_move_a_text_little(provider: StaticProvider) -> None:
    failure = "Payment API is down\nOOMKilled, exit code 137"

    restarted = await vector(provider, f"{failure}\nrestart_pod Deployment")
    scaled = await vector(provider, f"{failure}\nscale_up StatefulSet")

    assert 0.98 < float(restarted @ scaled) < 1 - 1e-6


async def test_an_empty_account_counts_for_nothing(provider: StaticProvider) -> None:
    assert await similarity(provider, "disk full\n", "disk full") == pytest.approx(1, abs=1e-6)


async def test_white_space_between_words_makes_no_difference(provider: StaticProvider) -> None:
    one, other = await provider.embed(["disk  full\ton node", "disk full on node"])

    assert one.tobytes() == other.tobytes()


async def test_a_very_long_text_is_cut_at_its_bound(provider: StaticProvider) -> None:
    long = "disk full on node " * 5_000
    cut = long[:EMBEDDED_CHARS_MAX]

    assert len(long) > EMBEDDED_CHARS_MAX
    assert (await vector(provider, long)).tobytes() == (await vector(provider, cut)).tobytes()


async def test_markers_of_the_tokenizer_are_plain_text(provider: StaticProvider) -> None:
    ids = provider._tokenizer.encode("<s>", add_special_tokens=False).ids

    assert ids == [529, 29879, 29958]


@pytest.mark.parametrize(
    ("text", "reason"), [("", FaultReason.REQUIRED), (" \n\t\u00a0", FaultReason.WHITESPACE_ONLY)]
)
async def test_a_blank_text_is_refused_whatever_comes_with_it(
    provider: StaticProvider, text: str, reason: FaultReason
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await provider.embed(["disk full", text])

    assert [(fault.field, fault.reason) for fault in refused.value.faults] == [("text", reason)]


@pytest.mark.parametrize("text", ["\ud83d", " " * EMBEDDED_CHARS_MAX + "disk"])
async def test_a_text_without_direction_fails_and_gives_no_numbers(
    provider: StaticProvider, text: str
) -> None:
    with pytest.raises(EmbeddingFailed):
        await provider.embed([text])


async def test_no_texts_give_no_vectors(provider: StaticProvider) -> None:
    assert await provider.embed([]) == []


async def test_a_closed_provider_lets_go_of_nothing_that_others_use(provider: StaticProvider) -> None:
    await (StaticProvider.load()).close()

    assert len(await provider.embed(["disk full"])) == 1
