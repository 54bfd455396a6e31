"""The onnx provider, with small real models."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from datastorage.embedding.onnx import OnnxProvider
from datastorage.errors import EmbeddingFailed, InvalidInput, StartupError, TextRefused
from support.onnx_models import DIMENSIONS, WORDS, table, write_flat_model, write_model, write_tokenizer

Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with tokenizer and model; arguments change the model, `tokenizer` members of tokenizer.json."""

    def write(*, tokenizer: dict[str, Any] | None = None, **model: Any) -> Path:
        place = tmp_path / "tiny-model"
        place.mkdir(exist_ok=True)
        write_tokenizer(place, **(tokenizer or {}))
        write_model(place, **model)
        return place

    return write


def load(folder: Path) -> OnnxProvider:
    return OnnxProvider.load("onnx:tiny-model", folder)


def mean(*words: str) -> np.ndarray:
    vector = table()[[WORDS.index(word) for word in words]].mean(axis=0)
    return vector / np.linalg.norm(vector)


async def test_a_text_is_the_mean_of_its_tokens_whatever_it_is_padded_with(folder: Folder) -> None:
    provider = load(folder())

    short, long = await provider.embed(["disk full", "pod killed because it ran out of memory"])

    assert (provider.model, provider.dimensions) == ("onnx:tiny-model", DIMENSIONS)
    assert short == pytest.approx(mean("disk", "full"), abs=1e-6)
    assert long == pytest.approx(
        mean("pod", "killed", "because", "it", "ran", "out", "of", "memory"), abs=1e-6
    )
    assert [(v.dtype, v.base) for v in (short, long)] == [(np.float32, None)] * 2
    await provider.close()


async def test_many_texts_come_back_in_their_order(folder: Folder) -> None:
    provider = load(folder())
    texts = [" ".join(["disk"] * (40 - number) + ["full"]) for number in range(40)]

    vectors = await provider.embed(texts)

    for number, vector in enumerate(vectors):
        assert vector == pytest.approx(mean(*["disk"] * (40 - number), "full"), abs=1e-5)
    await provider.close()


@pytest.mark.parametrize("inputs", [("input_ids",), ("input_ids", "attention_mask")])
async def test_a_model_is_given_only_the_inputs_it_has(folder: Folder, inputs: tuple[str, ...]) -> None:
    provider = load(folder(inputs=inputs, kind=TensorProto.INT32))

    assert (await provider.embed(["disk"]))[0] == pytest.approx(mean("disk"), abs=1e-6)
    await provider.close()


async def test_a_sentence_vector_of_the_models_own_is_taken_as_it_is(folder: Folder) -> None:
    provider = load(folder(output="sentence_embedding", pooled=True))

    assert (await provider.embed(["disk full"]))[0] == pytest.approx(mean("disk", "full"), abs=1e-6)
    await provider.close()


async def test_a_long_text_is_cut_where_the_tokenizer_says(folder: Folder) -> None:
    cut = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    provider = load(folder(tokenizer={"truncation": cut}))

    assert (await provider.embed(["disk full memory pod"]))[0] == pytest.approx(
        mean("disk", "full"), abs=1e-6
    )
    await provider.close()


async def test_a_long_text_is_cut_at_our_bound_where_the_tokenizer_says_nothing(folder: Folder) -> None:
    provider = load(folder())

    vector, same = await provider.embed(["disk " * 256 + "full " * 500, "disk"])

    assert vector == pytest.approx(same, abs=1e-5)
    await provider.close()


async def test_a_fixed_padding_is_not_paid_for(folder: Folder) -> None:
    fixed = {
        "strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 1, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    provider = load(folder(tokenizer={"padding": fixed}))

    encodings = provider._model.tokenizer.encode_batch(["disk", "disk full"])

    assert [encoding.ids for encoding in encodings] == [[2, 1], [2, 3]]
    await provider.close()


async def test_the_event_loop_goes_on_meanwhile(folder: Folder) -> None:
    provider = load(folder())
    embedding = asyncio.ensure_future(provider.embed(["disk full " * 1_000] * 64))
    turns = 0
    while not embedding.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 1
    await provider.close()


async def test_a_blank_text_is_refused(folder: Folder) -> None:
    provider = load(folder())

    with pytest.raises(InvalidInput):
        await provider.embed(["disk", " "])
    await provider.close()


async def test_a_text_that_is_no_unicode_is_refused(folder: Folder) -> None:
    provider = load(folder())

    with pytest.raises(TextRefused, match="not valid Unicode"):
        await provider.embed(["\ud83d"])
    await provider.close()


async def test_a_text_without_direction_is_refused_and_numbers_that_are_none_are_a_failure(
    folder: Folder,
) -> None:
    values = table()
    values[WORDS.index("disk")] = 0
    values[WORDS.index("full")] = np.nan
    provider = load(folder(values=values))

    with pytest.raises(TextRefused, match="no direction"):
        await provider.embed(["disk"])
    with pytest.raises(EmbeddingFailed, match="no finite numbers"):
        await provider.embed(["full"])
    await provider.close()


# --- folders that cannot be used


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Folder, name: str) -> None:
    place = folder()
    (place / name).unlink()

    with pytest.raises(
        StartupError, match=rf"{name} is no file. DATASTORAGE_EMBEDDING_MODEL must name a folder"
    ):
        load(place)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_that_is_something_else_is_named(folder: Folder, name: str) -> None:
    place = folder()
    (place / name).write_text("<html>not found</html>")

    with pytest.raises(StartupError, match=rf"{name} cannot be read"):
        load(place)


def test_an_input_that_nobody_knows_is_named(folder: Folder) -> None:
    with pytest.raises(
        StartupError, match="asks for input_ids, pixel_values; only input_ids, attention_mask"
    ):
        load(folder(inputs=("input_ids", "pixel_values")))


def test_an_output_that_is_no_vector_is_named(folder: Folder) -> None:
    place = folder()
    write_flat_model(place)

    with pytest.raises(StartupError, match=r"gives flat of shape \['batch'\]; a vector per text"):
        load(place)


def test_a_tokenizer_of_another_model_is_found_out_at_the_start(folder: Folder) -> None:
    place = folder()
    write_model(place, values=table()[:2])  # knows fewer tokens than the tokenizer gives

    with pytest.raises(StartupError, match=r"cannot be used: .*out of data bounds"):
        load(place)


def test_without_onnxruntime_it_says_what_to_install(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(StartupError, match=r"needs onnxruntime: pip install 'datastorage\[onnx\]'"):
        load(place)
