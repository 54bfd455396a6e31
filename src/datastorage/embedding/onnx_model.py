"""A transformer in ONNX with its tokenizer: texts to one vector each. Called by the onnx provider, in its thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from datastorage.errors import StartupError
from datastorage.limits import ONNX_TOKENS_MAX

MODEL: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"
# What a model may ask for, and where the tokenizer has it.
INPUTS: Final = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
# Of several outputs: a vector per text that the model makes itself, else a vector per token.
PREFERRED_OUTPUTS: Final = ("sentence_embedding", "last_hidden_state")
PADDING_TOKENS: Final = ("[PAD]", "<pad>")
INTEGERS: Final[Mapping[str, type[np.integer[Any]]]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A loaded model; `inputs` maps its inputs to the types it wants them in."""

    tokenizer: Tokenizer
    session: Any  # onnxruntime is an extra, so its types are not here to be named
    inputs: dict[str, type[np.integer[Any]]]
    output: str

    @classmethod
    def load(cls, folder: Path, threads: int) -> OnnxModel:
        """The model in a folder. Errors: StartupError."""
        session = _session(_file(folder, MODEL), threads)
        return cls(
            tokenizer=_tokenizer(_file(folder, TOKENIZER)),
            session=session,
            inputs=_inputs(session, folder),
            output=_output(session, folder),
        )

    def sentence_vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A vector per text, of any length: the model's own, or the mean over its tokens.

        Shapes: float32[texts, dimensions].
        """
        encodings = self.tokenizer.encode_batch(list(texts))
        (output,) = self.session.run([self.output], self._feed(encodings))
        values = np.asarray(output, np.float32)
        if values.ndim == 2:  # noqa: PLR2004 -- text × dimension
            return values
        mask = np.array([encoding.attention_mask for encoding in encodings], np.float32)[:, :, np.newaxis]
        means: NDArray[np.float32] = (values * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
        return means

    def _feed(self, encodings: Sequence[Encoding]) -> dict[str, NDArray[Any]]:
        return {
            name: np.array([getattr(encoding, INPUTS[name]) for encoding in encodings], kind)
            for name, kind in self.inputs.items()
        }


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise StartupError(
            f"The embedding model is missing: {path} is no file. "
            f"DATASTORAGE_EMBEDDING_MODEL must name a folder with {MODEL} and {TOKENIZER}"
        )
    return path


def _session(path: Path, threads: int) -> Any:
    try:
        onnxruntime = import_module("onnxruntime")
    except ImportError as error:
        raise StartupError(
            "DATASTORAGE_EMBEDDING_PROVIDER=onnx needs onnxruntime: pip install 'datastorage[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # PostgreSQL wants the cores too
    options.log_severity_level = 3  # errors; what it warns of is the business of whoever exported the model
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common type of their own
        raise StartupError(f"The embedding model {path} cannot be read: {error}") from error


def _tokenizer(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # what the tokenizers package raises is a plain Exception
        raise StartupError(f"The tokenizer {path} cannot be read: {error}") from error
    tokenizer.encode_special_tokens = True  # a `[SEP]` in a text is text
    if tokenizer.truncation is None:
        tokenizer.enable_truncation(ONNX_TOKENS_MAX)
    # Padded to the longest of its batch, whatever the file says: to a fixed length it would cost more, and
    # give the same vectors.
    tokens = [token for token in PADDING_TOKENS if tokenizer.token_to_id(token) is not None]
    given = tokenizer.padding or {}
    token = given.get("pad_token") or (tokens[0] if tokens else "")
    pad_id = given.get("pad_id", tokenizer.token_to_id(token) or 0)
    tokenizer.enable_padding(pad_id=pad_id, pad_token=token)
    return tokenizer


def _inputs(session: Any, folder: Path) -> dict[str, type[np.integer[Any]]]:
    wanted = {tensor.name: tensor.type for tensor in session.get_inputs()}
    unknown = [name for name, kind in wanted.items() if name not in INPUTS or kind not in INTEGERS]
    if unknown or "input_ids" not in wanted:
        raise StartupError(
            f"The embedding model in {folder} asks for {', '.join(wanted)}; "
            f"only {', '.join(INPUTS)} of whole numbers can be given, and input_ids must be"
        )
    return {name: INTEGERS[kind] for name, kind in wanted.items()}


def _output(session: Any, folder: Path) -> str:
    shapes = {tensor.name: tensor.shape for tensor in session.get_outputs()}
    name = next((name for name in PREFERRED_OUTPUTS if name in shapes), next(iter(shapes)))
    if len(shapes[name]) not in (2, 3):
        raise StartupError(
            f"The embedding model in {folder} gives {name} of shape {shapes[name]}; "
            "a vector per text (2 dimensions) or per token (3 dimensions) is needed"
        )
    return name
