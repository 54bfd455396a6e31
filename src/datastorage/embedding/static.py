"""TEMPORARY by the lead, helper 4 overwrites."""

import importlib.util
import pathlib

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer


class StaticProvider:
    model = "wordllama-l2-supercat-256"
    dimensions = 256

    @classmethod
    def load(cls):
        self = cls()
        d = pathlib.Path(importlib.util.find_spec("wordllama").origin).parent
        self.t = Tokenizer.from_file(str(d / "tokenizers/l2_supercat_tokenizer_config.json"))
        self.w = next(iter(load_file(str(d / "weights/l2_supercat_256.safetensors")).values()))
        return self

    async def embed(self, texts):
        out = []
        for t in texts:
            v = self.w[self.t.encode(t, add_special_tokens=False).ids].astype("float32").mean(0)
            out.append(v / np.linalg.norm(v))
        return out

    async def close(self):
        pass
