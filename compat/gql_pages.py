"""The gql client, on httpx, introspects the service and reads a list to its end: `gql_pages.py URL`."""

from __future__ import annotations

import sys

from gql import Client
from gql.dsl import DSLQuery, DSLSchema, DSLVariableDefinitions, dsl_gql
from gql.transport.httpx import HTTPXTransport


def pages_read(url: str) -> tuple[int, int]:
    """How many records there were, on how many pages."""
    client = Client(transport=HTTPXTransport(url), fetch_schema_from_transport=True)
    with client as session:
        assert client.schema is not None
        ds, variables = DSLSchema(client.schema), DSLVariableDefinitions()
        records = ds.RemediationAuditConnection
        operation = DSLQuery(
            ds.Query.remediationAudits(first=3, after=variables.after).select(
                records.totalCount,
                records.nodes.select(ds.RemediationAudit.id, ds.RemediationAudit.phase),
                records.pageInfo.select(ds.PageInfo.hasNextPage, ds.PageInfo.endCursor),
            )
        )
        operation.variable_definitions = variables
        request = dsl_gql(operation)
        ids, pages, after, more = [], 0, None, True
        while more:
            request.variable_values = {"after": after}
            page = session.execute(request)["remediationAudits"]
            ids += [node["id"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
            pages += 1
    assert pages > 1
    assert len(ids) == len(set(ids)) == page["totalCount"]
    return len(ids), pages


if __name__ == "__main__":
    print("gql: {} records on {} pages".format(*pages_read(sys.argv[1])))
