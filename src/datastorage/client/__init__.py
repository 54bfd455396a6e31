"""The Python client: everything that a service can do, typed, for asyncio and without it.

    from datastorage.client import CreateRemediationAuditInput, DataStorage

    with DataStorage("http://127.0.0.1:8080", actor="my-controller") as memory:
        stored = memory.create_remediation_audit(CreateRemediationAuditInput(...))

AsyncDataStorage has the same methods to await. Needs nothing of the server: only httpx, pydantic and tenacity.
"""

from datastorage.client import generated
from datastorage.client.aio.datastorage import AsyncDataStorage
from datastorage.client.aio.listing import AsyncListing
from datastorage.client.errors import (
    Conflict,
    DataStorageError,
    Forbidden,
    InvalidTransition,
    NotFound,
    QueryFailed,
    RequestTooLarge,
    Unavailable,
    UnexpectedAnswer,
    ValidationFailed,
)
from datastorage.client.generated import *  # noqa: F403 -- the types of the API, listed there
from datastorage.client.retries import Retries
from datastorage.client.sync.datastorage import DataStorage
from datastorage.client.sync.listing import Listing

__all__ = [
    "AsyncDataStorage",
    "AsyncListing",
    "Conflict",
    "DataStorage",
    "DataStorageError",
    "Forbidden",
    "InvalidTransition",
    "Listing",
    "NotFound",
    "QueryFailed",
    "RequestTooLarge",
    "Retries",
    "Unavailable",
    "UnexpectedAnswer",
    "ValidationFailed",
]
__all__ += generated.__all__
