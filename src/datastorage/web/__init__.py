"""The HTTP edge: GraphQL over HTTP, GraphiQL, probes, metrics. Knows Starlette, never SQL."""
