"""The GraphQL edge: types, inputs, queries and mutations over the services. Knows Strawberry, never SQL.

Types are views: resolvers hand out the records of `domain` and of the services, and a type says which of
their attributes clients see.
"""
