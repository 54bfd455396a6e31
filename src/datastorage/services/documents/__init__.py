"""GraphQL documents that requests name instead of sending them. Called by `web.documents`."""

from datastorage.services.documents.persisted import PersistedDocuments, configured_persisted, sha256_of
from datastorage.services.documents.trusted import TrustedDocuments, configured_trusted

__all__ = [
    "PersistedDocuments",
    "TrustedDocuments",
    "configured_persisted",
    "configured_trusted",
    "sha256_of",
]
