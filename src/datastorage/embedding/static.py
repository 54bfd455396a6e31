"""The embedding model that comes with the package: a vector per token, and nothing to run. Needs no network."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from datastorage.embedding.provider import Vector, refuse_blank, unit
from datastorage.embedding.wordllama_files import SHAPE, WordllamaFiles
from datastorage.errors import TextRefused
from datastorage.limits import EMBEDDED_CHARS_MAX

# The headline says what the account elaborates, so it weighs as much as the whole account, however long that
# is: nDCG@10 rose by 10 and 12 points on two sets of reports, against one mean over all tokens. What was done
# about it tells failures apart least: as part of the account it cost up to 4 points, so it weighs little.
LINE_WEIGHTS: Final = (1.0, 1.0, 0.1)

# Every half-precision number in single precision: numpy converts them one by one, in twice the time.
_SINGLES: Final = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)

# Up to this the work takes 0.05 to 0.7 ms; handing it to a thread and back adds 0.1 ms.
INLINE_CHARS_MAX: Final = 2_048


class StaticProvider:
    """Sums of token vectors, one per line of the text, added up by the weight of the line.

    Lines have the roles of `search.embedded_text`: headline, account, circumstances; a text of one line is
    just its mean. Each text is computed by itself, so its vector is the same to the bit in any batch.
    """

    model: Final = "wordllama-l2-supercat-256"
    dimensions: Final = SHAPE[1]
    costs_more_than_a_lookup: Final = False  # a text takes 0.2 ms, a statement with its round trip 0.8
    calls_max: Final = 4  # threads that long batches may take

    def __init__(self, tokenizer: Tokenizer, token_vectors: NDArray[np.float16]) -> None:
        self._tokenizer, self._token_bits = tokenizer, token_vectors.view(np.uint16)

    @classmethod
    def load(cls) -> StaticProvider:
        """The model from the installed package. Errors: StartupError."""
        files = WordllamaFiles.find()
        # One thread per batch: more would take the cores of PostgreSQL, and a fork would warn of them.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        tokenizer = Tokenizer.from_file(str(files.tokenizer))
        tokenizer.encode_special_tokens = True  # a `<s>` in a text is text
        return cls(tokenizer, files.token_vectors())

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector per text. Errors: InvalidInput for a blank text, EmbeddingFailed."""
        refuse_blank(texts)
        if sum(map(len, texts)) <= INLINE_CHARS_MAX:
            return self._vectors(texts)
        return await asyncio.to_thread(self._vectors, texts)

    async def close(self) -> None:
        """Nothing to let go of: the table is a mapped file."""

    def _vectors(self, texts: Sequence[str]) -> list[Vector]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        lines = [" ".join(line.split()) for line in text[:EMBEDDED_CHARS_MAX].split("\n", 2)]
        try:
            encodings = self._tokenizer.encode_batch_fast(lines, add_special_tokens=False)
        except TypeError as error:  # half of a surrogate pair is no Unicode text
            raise TextRefused("the text is not valid Unicode") from error
        total = np.zeros(self.dimensions, np.float32)
        for weight, encoding in zip(LINE_WEIGHTS, encodings, strict=False):
            # Scripts outside the vocabulary take up to four tokens a character: hold no more than Latin does.
            ids = encoding.ids[:EMBEDDED_CHARS_MAX]
            if ids:
                vectors = _SINGLES.take(self._token_bits.take(ids, axis=0))
                total += np.float32(weight) * unit(vectors.sum(axis=0))
        return unit(total)
