"""A GraphQL client for tests: an HTTP client, and answers that are easy to look into."""

from dataclasses import dataclass
from typing import Any

import httpx

CREATE = """
mutation Create($input: CreateRemediationAuditInput!) {
  createRemediationAudit(input: $input) {
    __typename
    ... on CreateRemediationAuditPayload {
      remediationAudit {
        id databaseId version remediationRequestId name namespace phase status actionType actionParameters
        startTime endTime durationMs alertFingerprint severity environment clusterName targetResource
        targetKind targetNamespace targetName errorMessage resolution metadata createdAt updatedAt
      }
      receipt { replayed similarity redactions { field pattern count } }
    }
    ... on UserError { message code retryable }
    ... on ValidationError { faults { field reason message } }
    ... on ConflictError { fields }
  }
}
"""
UPDATE = """
mutation Update($input: UpdateRemediationAuditInput!) {
  updateRemediationAudit(input: $input) {
    __typename
    ... on UpdateRemediationAuditPayload {
      remediationAudit {
        version phase status actionType endTime durationMs errorMessage resolution metadata targetKind
        targetNamespace targetName severity environment targetResource
      }
      receipt { replayed similarity redactions { field pattern count } }
    }
    ... on UserError { message code retryable }
    ... on ValidationError { faults { field reason message } }
    ... on ConflictError { fields }
    ... on InvalidTransitionError { currentPhase requestedPhase allowedPhases }
  }
}
"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def error(self) -> dict[str, Any]:
        """The only error."""
        (error,) = self.body["errors"]
        return error


class GraphQLClient:
    """Asks one service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(self, query: str, **variables: Any) -> Answer:
        """Executes a document."""
        response = await self.http.post("/graphql", json={"query": query, "variables": variables})
        return Answer(response.status_code, response.json())

    async def create(self, **input_fields: Any) -> dict[str, Any]:
        """Executes the create mutation; its result whatever member it is."""
        answer = await self.ask(CREATE, input=input_fields)
        return answer.data["createRemediationAudit"]

    async def update(self, **input_fields: Any) -> dict[str, Any]:
        """Executes the update mutation; its result whatever member it is."""
        answer = await self.ask(UPDATE, input=input_fields)
        return answer.data["updateRemediationAudit"]
