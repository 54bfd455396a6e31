"""Documents that are remembered: as many as there is room for, those used last."""

from datastorage.limits import PERSISTED_DOCUMENT_CHARS_MAX
from datastorage.services.documents import PersistedDocuments, TrustedDocuments, sha256_of


async def test_the_longest_unused_document_makes_room() -> None:
    documents = PersistedDocuments(chars_max=30)
    for name in ("a", "b", "c"):
        await documents.put(name, name * 10)
    await documents.get("a")

    await documents.put("d", "d" * 10)

    assert [name for name in "abcd" if name in documents] == ["a", "c", "d"]


async def test_a_very_long_document_is_not_remembered() -> None:
    documents = PersistedDocuments()
    await documents.put("long", "x" * (PERSISTED_DOCUMENT_CHARS_MAX + 1))
    await documents.put("longest", "x" * PERSISTED_DOCUMENT_CHARS_MAX)

    assert ("long" in documents, "longest" in documents) == (False, True)


async def test_a_document_that_is_put_twice_takes_its_room_once() -> None:
    documents = PersistedDocuments(chars_max=20)
    for _ in range(3):
        await documents.put("a", "a" * 10)
    await documents.put("b", "b" * 10)

    assert ("a" in documents, "b" in documents) == (True, True)


def test_a_trusted_document_is_known_by_its_id_and_its_hash_and_another_text_is_not() -> None:
    text = "{ __typename }"
    trusted = TrustedDocuments.of({"id-1": text, "sha256:" + "a" * 64: "{ b: __typename }"})

    assert (
        trusted.named("id-1")
        == trusted.named(sha256_of(text))
        == trusted.named(f"sha256:{sha256_of(text)}")
        == text
    )
    assert trusted.named("a" * 64) == "{ b: __typename }"
    assert trusted.named("id-2") is None
    assert (text in trusted, f"{text} " in trusted) == (True, False)
