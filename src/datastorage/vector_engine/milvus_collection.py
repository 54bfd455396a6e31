"""The collection of a model: its name, its shape, its index. Called by MilvusEngine, in a thread.

With the client that blocks: the other one cannot make an index in Milvus Lite, which hands out no timestamps.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from pymilvus import DataType, MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.exceptions import MilvusException

from datastorage.errors import EngineUnavailable
from datastorage.vector_engine.milvus_address import MilvusAddress

HASH: Final = "hash"
VECTOR: Final = "vector"
METRIC: Final = "COSINE"
HASH_CHARS: Final = 64  # SHA-256 in hexadecimal
# Links as in PostgreSQL's index; more care in making them, which holds up no writer here.
HNSW: Final = {"M": 16, "efConstruction": 200}
MODEL_CHARS_MAX: Final = 100  # of its name, to be read by people; names of collections end at 255


def collection_name(model: str, dimensions: int) -> str:
    """Distinct for distinct models, of the letters, digits and underscores that Milvus allows."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", model)[:MODEL_CHARS_MAX].strip("_")
    return f"datastorage_{readable}_{dimensions}_{hashlib.sha256(model.encode()).hexdigest()[:12]}"


def made_ready(
    address: MilvusAddress, name: str, dimensions: int, timeout_s: float, creating_timeout_s: float
) -> None:
    """The collection is there, indexed and loaded; does what of it is left to do."""
    client = MilvusClient(timeout=timeout_s, dedicated=True, **address.arguments)
    try:
        _sees_to(
            lambda: client.has_collection(name, timeout=timeout_s),
            lambda: _create(client, name, dimensions, creating_timeout_s),
        )
        _check_shape(client.describe_collection(name, timeout=timeout_s), dimensions)
        _sees_to(
            lambda: bool(client.list_indexes(name, VECTOR, timeout=timeout_s)),
            lambda: client.create_index(name, _index(), timeout=creating_timeout_s),
        )
        _sees_to(
            lambda: client.get_load_state(name, timeout=timeout_s)["state"] == LoadState.Loaded,
            lambda: client.load_collection(name, timeout=creating_timeout_s),
        )
    finally:
        client.close()


def _sees_to(is_done: Callable[[], bool], do: Callable[[], object]) -> None:
    if is_done():
        return
    try:
        do()
    except MilvusException:
        if not is_done():  # by another replica, which was faster
            raise


def _create(client: MilvusClient, name: str, dimensions: int, timeout_s: float) -> None:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(HASH, DataType.VARCHAR, max_length=HASH_CHARS, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dimensions)
    client.create_collection(name, schema=schema, consistency_level="Strong", timeout=timeout_s)


def _index() -> Any:
    index = MilvusClient.prepare_index_params()
    index.add_index(VECTOR, index_type="HNSW", metric_type=METRIC, params=HNSW)
    return index


def _check_shape(description: dict[str, Any], dimensions: int) -> None:
    fields = {field["name"]: field for field in description["fields"]}
    stored = fields.get(VECTOR, {}).get("params", {}).get("dim")
    if HASH not in fields or stored is None or int(stored) != dimensions:
        raise EngineUnavailable(
            f"The vector engine has a collection {description['collection_name']} of another shape "
            f"(vectors of {stored} dimensions, needed are {dimensions}): drop it, or take another database."
        )
