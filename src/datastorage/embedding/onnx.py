"""A model of one's own from a local folder, run by onnxruntime on the CPU. Needs no network.

The folder holds `model.onnx` and `tokenizer.json`, as most models on model hubs offer them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datastorage.embedding.onnx_model import OnnxModel
from datastorage.embedding.provider import Vector, refuse_blank, unit
from datastorage.errors import EmbeddingFailed, OperatorError, StartupError, TextRefused
from datastorage.limits import EMBEDDED_CHARS_MAX, ONNX_BATCH_TEXTS

TRIAL: Final = "a pod was killed because it ran out of memory"


class OnnxProvider:
    """Sentence vectors of a transformer, one call at a time in a thread of its own."""

    costs_more_than_a_lookup: Final = True
    calls_max: Final = 1  # a second one would only take the first one's cores

    def __init__(self, name: str, model: OnnxModel, dimensions: int) -> None:
        self.model, self.dimensions, self._model = name, dimensions, model
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedding")

    @classmethod
    def load(cls, name: str, folder: Path, threads: int = 1) -> OnnxProvider:
        """The model in a folder, tried with one text. Errors: StartupError."""
        model = OnnxModel.load(folder, threads)
        try:
            (vector,) = model.sentence_vectors([TRIAL])
            unit(vector)
        except OperatorError:
            raise
        except Exception as error:  # whatever a foreign model raises, the folder is what has to be mended
            raise StartupError(f"The embedding model in {folder} cannot be used: {error}") from error
        return cls(name, model, len(vector))

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector per text. Errors: InvalidInput for a blank text, EmbeddingFailed."""
        refuse_blank(texts)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._vectors, texts)

    async def close(self) -> None:
        """Ends the thread when it has done what it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _vectors(self, texts: Sequence[str]) -> list[Vector]:
        cut = [text[:EMBEDDED_CHARS_MAX] for text in texts]
        # Texts of a length share a batch, so that little is padded.
        order = sorted(range(len(cut)), key=lambda place: len(cut[place]))
        found: dict[int, Vector] = {}
        for start in range(0, len(order), ONNX_BATCH_TEXTS):
            places = order[start : start + ONNX_BATCH_TEXTS]
            matrix = self._matrix([cut[place] for place in places])
            found |= {place: unit(row) for place, row in zip(places, matrix, strict=True)}
        return [found[place] for place in range(len(cut))]

    def _matrix(self, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            return self._model.sentence_vectors(texts)
        except TypeError as error:  # half of a surrogate pair is no Unicode text
            raise TextRefused("the text is not valid Unicode") from error
        except Exception as error:  # onnxruntime's errors have no common type of their own
            raise EmbeddingFailed(f"onnxruntime failed: {error}") from error
