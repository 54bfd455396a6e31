"""The two files of the installed wordllama package that hold the static model. Called by the static provider.

The package is never imported: importing it reconfigures logging, and its loader looks in the wrong folder and
then tries the network.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from datastorage.errors import StartupError

TOKENIZER: Final = Path("tokenizers/l2_supercat_tokenizer_config.json")
WEIGHTS: Final = Path("weights/l2_supercat_256.safetensors")
SHAPE: Final = (32_000, 256)  # tokens × dimensions

# Vectors can be compared only while these files are the same, so a changed one must not pass for the model.
SHA256: Final = {
    TOKENIZER: "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
    WEIGHTS: "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
}

MEND: Final = (
    "Reinstall it with `pip install --force-reinstall wordllama==0.4.0.post1`, "
    "or run without embeddings: DATASTORAGE_EMBEDDING_PROVIDER=none"
)


@dataclass(frozen=True, slots=True)
class WordllamaFiles:
    """The folder of the package, checked."""

    folder: Path

    @classmethod
    def find(cls) -> WordllamaFiles:
        """The installed package. Errors: StartupError."""
        spec = find_spec("wordllama")
        if spec is None or spec.origin is None:
            raise StartupError(f"The embedding model is missing: package wordllama is not installed. {MEND}")
        return cls.check(Path(spec.origin).parent)

    @classmethod
    def check(cls, folder: Path) -> WordllamaFiles:
        """The files in this folder, refused unless they are the ones that were measured. Errors: StartupError."""
        for name, expected in SHA256.items():
            path = folder / name
            try:
                with path.open("rb") as file:
                    actual = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise StartupError(f"The embedding model cannot be read: {error}. {MEND}") from error
            if actual != expected:
                raise StartupError(f"The embedding model has changed: {path} has SHA-256 {actual}. {MEND}")
        return cls(folder)

    @property
    def tokenizer(self) -> Path:
        """A tokenizer in the format of the `tokenizers` package."""
        return self.folder / TOKENIZER

    def token_vectors(self) -> NDArray[np.float16]:
        """The table of token vectors, mapped: processes share its pages and load what they use.

        Shapes: float16[tokens, dimensions].  Errors: StartupError.
        """
        path = self.folder / WEIGHTS
        with path.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            tensor = json.loads(file.read(header_bytes))["embedding.weight"]
        if (tensor["dtype"], tuple(tensor["shape"])) != ("F16", SHAPE):
            raise StartupError(f"The embedding model has another shape: {tensor}. {MEND}")
        offset = 8 + header_bytes + tensor["data_offsets"][0]
        return np.asarray(np.memmap(path, dtype="<f2", mode="r", offset=offset, shape=SHAPE))
