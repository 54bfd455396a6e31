"""The records and values of the product as plain Python: no SQL, no GraphQL, no I/O."""
