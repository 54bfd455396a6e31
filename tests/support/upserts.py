"""Asking for upserts of remediation audits."""

from typing import Any

from support.client import GraphQLClient

PARTS = """
  __typename
  ... on UpsertRemediationAuditPayload {
    remediationAudit { remediationRequestId version phase status severity environment endTime durationMs errorMessage
                       resolution metadata actionParameters targetKind }
    receipt { replayed similarity redactions { field pattern count } }
    created
  }
  ... on UserError { message code }
  ... on ValidationError { faults { field reason } }
  ... on ConflictError { fields }
  ... on InvalidTransitionError { currentPhase requestedPhase }
"""
UPSERT = f"mutation($input: UpsertRemediationAuditInput!) {{ upsertRemediationAudit(input: $input) {{ {PARTS} }} }}"
UPSERTS = f"""mutation($inputs: [UpsertRemediationAuditInput!]!, $atomic: Boolean) {{
  upsertRemediationAudits(inputs: $inputs, atomic: $atomic) {{ {PARTS} }} }}"""


async def upsert(client: GraphQLClient, **input_fields: Any) -> dict[str, Any]:
    """One; its result whatever member it is."""
    return (await client.ask(UPSERT, input=input_fields)).data["upsertRemediationAudit"]


async def upserts(
    client: GraphQLClient, *inputs: dict[str, Any], atomic: bool = False
) -> list[dict[str, Any]]:
    """Many; their results whatever members they are."""
    answer = await client.ask(UPSERTS, inputs=list(inputs), atomic=atomic)
    return answer.data["upsertRemediationAudits"]
