"""From the document that a request names to its text: trusted ones, and those that clients have sent before.

As Apollo's automatic persisted queries have it (`extensions.persistedQuery`), and GraphQL over HTTP (`documentId`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog
from strawberry import Schema

from datastorage.domain.caller import Caller
from datastorage.graphql.document_fault import document_fault
from datastorage.observability.labels import DocumentLookup
from datastorage.observability.metrics import count_document_lookup
from datastorage.services.documents import (
    PersistedDocuments,
    TrustedDocuments,
    configured_persisted,
    configured_trusted,
    sha256_of,
)
from datastorage.settings import Settings
from datastorage.web.graphql_request import Operation, Unreadable

log = structlog.get_logger(__name__)

_UNTRUSTED: Final = "only trusted documents are executed here"


class DocumentMissing(Exception):
    """A document that is not here; with `NOT_FOUND` clients send its text, with `NOT_SUPPORTED` they do from now on."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


NOT_FOUND: Final = ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
NOT_SUPPORTED: Final = ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
UNKNOWN: Final = ("no document has this documentId", "BAD_USER_INPUT")


class Documents:
    """What is trusted, what is remembered, and whether anything else is executed."""

    def __init__(
        self, trusted: TrustedDocuments | None, persisted: PersistedDocuments | None, *, trusted_only: bool
    ) -> None:
        self._trusted = trusted or TrustedDocuments.of({})
        self._persisted, self._trusted_only = persisted, trusted_only

    async def resolved(self, operation: Operation, caller: Caller) -> Operation:
        """The operation with its document. Errors: DocumentMissing, Unreadable, Forbidden."""
        if operation.query:
            self._check(operation, caller)
            return operation
        if operation.document_id is not None:
            return replace(operation, query=self._listed(operation.document_id))
        return replace(operation, query=await self._persisted_text(operation.sha256 or ""))

    async def remember(self, operation: Operation) -> None:
        """After an operation was executed: its document, where the client wants to name it from now on."""
        digest, persisted = operation.sha256, self._persisted
        if digest is None or persisted is None or digest in persisted:
            return
        if self._trusted.named(digest) is None:
            await persisted.put(digest, operation.query)
            count_document_lookup(DocumentLookup.REGISTERED)

    async def close(self) -> None:
        """Closes the connections to Redis."""
        if self._persisted is not None:
            await self._persisted.close()

    def _check(self, operation: Operation, caller: Caller) -> None:
        digest = operation.sha256
        if digest is not None and digest != sha256_of(operation.query):
            raise Unreadable(400, "sha256Hash is not the SHA-256 of the query")
        if self._trusted_only and operation.query not in self._trusted:
            count_document_lookup(DocumentLookup.REFUSED)
            caller.deny(_UNTRUSTED, "no trusted document")

    def _listed(self, document_id: str) -> str:
        text = self._trusted.named(document_id)
        return self._found(text, DocumentLookup.TRUSTED, UNKNOWN)

    async def _persisted_text(self, digest: str) -> str:
        trusted = self._trusted.named(digest)
        if trusted is not None:
            return self._found(trusted, DocumentLookup.TRUSTED, NOT_FOUND)
        if self._persisted is None:
            return self._found(None, DocumentLookup.PERSISTED, NOT_SUPPORTED)
        return self._found(await self._persisted.get(digest), DocumentLookup.PERSISTED, NOT_FOUND)

    def _found(self, text: str | None, how: DocumentLookup, otherwise: tuple[str, str]) -> str:
        if text is None:
            count_document_lookup(DocumentLookup.NOT_FOUND)
            raise DocumentMissing(*otherwise)
        count_document_lookup(how)
        return text


def configured_documents(settings: Settings, schema: Schema) -> Documents:
    """As the settings say; trusted documents of another schema are told. Errors: StartupError."""
    trusted = configured_trusted(settings)
    for name, text in trusted.listed.items() if trusted else ():
        fault = document_fault(schema, text)
        if fault is not None:
            log.warning("trusted_document_invalid", document=name, fault=fault)
    return Documents(
        trusted,
        None if settings.trusted_documents_only else configured_persisted(settings),
        trusted_only=settings.trusted_documents_only,
    )
